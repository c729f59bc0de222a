-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- The ids of the checks are negative: no sequence gives those.
insert into public.users (id, name, email)
values
  (-500001, 'Ann', 'ann@verify.invalid'),
  (-500002, 'Bob', 'bob@verify.invalid'),
  (-500003, 'Cy', 'cy@verify.invalid');
insert into public.user_goals_and_preferences (
  id, user_id, goals_text, task_complexity, focus_areas, weekend_preference,
  fixed_commitments_json
)
values
  (-500011, -500001, 'Run', 'Balanced', 'Health', 'Mixed', '{"commitments": []}'),
  (-500012, -500002, 'Read', 'Simple', 'Learning', 'Rest', '{"commitments": []}');
insert into public.monthly_plans (
  id, user_id, preference_id, month_year, ai_prompt, ai_response_raw, monthly_summary
)
values
  (-500021, -500001, -500011, '2001-02-01', 'Plan a month', '{}', 'Ann''s month'),
  (-500022, -500002, -500012, '2001-02-01', 'Plan a month', '{}', 'Bob''s month');
insert into public.plan_tasks (
  id, plan_id, task_description, focus_area, start_time, end_time, difficulty_level,
  scheduling_reason
)
values
  (
    -500031, -500021, 'Run', 'Health', '2001-02-03 07:00', '2001-02-03 08:00', 'easy',
    'Peak Energy Window'
  ),
  (
    -500032, -500022, 'Read', 'Learning', '2001-02-03 20:00', '2001-02-03 21:00', 'easy',
    'Quiet'
  );
insert into public.user_activity_history (
  id, user_id, task_id, actual_start_time, actual_end_time, duration_deviation, was_completed
)
values
  (-500051, -500001, -500031, '2001-02-03 07:00', '2001-02-03 08:05', 5, true),
  (-500052, -500002, -500032, null, null, null, false);

-- check: an entry with only what became of it: the defaults, and the next id
insert into public.user_activity_history (id, user_id, task_id, was_completed)
values (-500091, -500001, -500032, false);
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'user_id', -500001,
    'task_id', -500032,
    'actual_start_time', null,
    'actual_end_time', null,
    'duration_deviation', null,
    'was_completed', false,
    'logged_at', localtimestamp
  )
  and exists (
    -- Looked up, not drawn: a number that a sequence has given is gone, on a live database too.
    select
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_depend as needs
      on needs.classid = 'pg_catalog.pg_attrdef'::regclass
      and needs.objid = d.oid
    where d.adrelid = 'public.user_activity_history'::regclass
      and needs.refobjid = pg_get_serial_sequence('public.user_activity_history', 'id')::regclass
  )
from public.user_activity_history as made
where user_id = -500001 and task_id = -500032;

-- check error 23502: an entry that does not say whether the task was completed
insert into public.user_activity_history (id, user_id, task_id) values (-500092, -500001, -500031);

-- check: a task can be tried again, and be over before its time
insert into public.user_activity_history (id, user_id, task_id, duration_deviation, was_completed)
values (-500093, -500001, -500031, -20, true);
select array_agg(duration_deviation order by duration_deviation) = '{-20,5}'
from public.user_activity_history
where task_id = -500031;

-- check error 23503: an entry of no user
update public.user_activity_history set user_id = -500009 where id = -500051;

-- check error 23503: a user goes away and leaves an entry behind
update public.user_activity_history set user_id = -500003 where id = -500051;
delete from public.users where id = -500003;

-- check error 23503: a user gets another id and leaves an entry behind
update public.user_activity_history set user_id = -500003 where id = -500051;
update public.users set id = -500009 where id = -500003;

-- check error 23503: an entry of no task
update public.user_activity_history set task_id = -500039 where id = -500051;

-- check error 23503: a task goes away and leaves an entry behind
delete from public.plan_tasks where id = -500031;

-- check error 23503: a task gets another id and leaves an entry behind
update public.plan_tasks set id = -500039 where id = -500031;

-- check: an entry gone first, a task may go
delete from public.user_activity_history where task_id = -500031;
delete from public.plan_tasks where id = -500031;
select count(*) = 0 from public.plan_tasks where id = -500031;

-- check error 23502: an entry without id
update public.user_activity_history set id = null where id = -500051;

-- check error 23502: an entry without user_id
update public.user_activity_history set user_id = null where id = -500051;

-- check error 23502: an entry without task_id
update public.user_activity_history set task_id = null where id = -500051;

-- check error 23502: an entry without was_completed
update public.user_activity_history set was_completed = null where id = -500051;

-- check error 23502: an entry without logged_at
update public.user_activity_history set logged_at = null where id = -500051;

-- check: actual_start_time, actual_end_time, duration_deviation may be empty
update public.user_activity_history
set actual_start_time = null, actual_end_time = null, duration_deviation = null
where id = -500051
returning true;

-- check: user_activity_history has these constraints and no other
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'PRIMARY KEY (id)',
  'FOREIGN KEY (task_id) REFERENCES public.plan_tasks(id)',
  'FOREIGN KEY (user_id) REFERENCES public.users(id)'
]
from pg_catalog.pg_constraint
where conrelid = 'public.user_activity_history'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: user_activity_history has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'idx_user_activity_history_task_id btree (task_id)',
  'idx_user_activity_history_user_logged btree (user_id, logged_at)',
  'user_activity_history_pkey UNIQUE btree (id)'
]
from pg_catalog.pg_indexes
where schemaname = 'public'
  and indexname in (
    'idx_user_activity_history_task_id',
    'idx_user_activity_history_user_logged',
    'user_activity_history_pkey'
  );

-- check none: a comment of user_activity_history that is not the design's
-- The table itself has no name in this list.
with design (name, said) as (
  values
    ('', 'Input for AI personalization.'),
    ('actual_start_time', 'Used to calculate accurate session duration.'),
    ('duration_deviation', 'Difference (in minutes) between planned and actual duration.'),
    ('task_id', 'Tracks execution of a specific task instance.'),
    ('was_completed', 'Crucial for calculating historical completion rates.')
),
found (name, said) as (
  select coalesce(a.attname::text, ''), d.description
  from pg_catalog.pg_description as d
  left join pg_catalog.pg_attribute as a on a.attrelid = d.objoid and a.attnum = d.objsubid
    and a.attnum > 0
  where d.objoid = 'public.user_activity_history'::regclass
    and d.classoid = 'pg_catalog.pg_class'::regclass
)
(table design except table found)
union all
(table found except table design);

-- check none: a right, another owner, a policy or a trigger on user_activity_history
with relation as (
  select oid, relname, relkind, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid in (
    'public.user_activity_history'::regclass,
    pg_get_serial_sequence('public.user_activity_history', 'id')::regclass
  )
)
select 'owner ' || r.relowner::regrole
from relation as r
where r.relowner <> (
  select typowner from pg_catalog.pg_type where oid = 'public.complexity'::regtype
)
union all
select r.relname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r, aclexplode(r.relacl) as acl
where acl.grantee <> r.relowner
union all
select a.attname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid, aclexplode(a.attacl) as acl
where acl.grantee <> r.relowner
union all
select 'row level security' from relation as r where r.relrowsecurity
union all
select 'policy ' || p.polname
from relation as r
join pg_catalog.pg_policy as p on p.polrelid = r.oid
union all
select 'trigger ' || t.tgname
from relation as r
join pg_catalog.pg_trigger as t on t.tgrelid = r.oid
where not t.tgisinternal;
