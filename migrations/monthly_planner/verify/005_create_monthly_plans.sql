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

-- check: a plan with no summary: the defaults, and the next id
insert into public.monthly_plans (id, user_id, preference_id, month_year, ai_prompt, ai_response_raw)
values (-500091, -500001, -500011, '2001-03-01', 'Plan March', '{"weekly_breakdown": []}');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'user_id', -500001,
    'preference_id', -500011,
    'month_year', '2001-03-01',
    'ai_prompt', 'Plan March',
    'ai_response_raw', jsonb_build_object('weekly_breakdown', '[]'::jsonb),
    'monthly_summary', null,
    'generated_at', localtimestamp
  )
  and exists (
    -- Looked up, not drawn: a number that a sequence has given is gone, on a live database too.
    select
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_depend as needs
      on needs.classid = 'pg_catalog.pg_attrdef'::regclass
      and needs.objid = d.oid
    where d.adrelid = 'public.monthly_plans'::regclass
      and needs.refobjid = pg_get_serial_sequence('public.monthly_plans', 'id')::regclass
  )
from public.monthly_plans as made
where user_id = -500001 and ai_prompt = 'Plan March';

-- check: a month can be planned again, from the same input
insert into public.monthly_plans (
  id, user_id, preference_id, month_year, ai_prompt, ai_response_raw
)
values (-500092, -500001, -500011, '2001-02-01', 'Plan it again', '{}');
select count(*) = 2
from public.monthly_plans
where user_id = -500001
  and month_year = '2001-02-01';

-- check error 23503: a plan of no user
update public.monthly_plans set user_id = -500009 where id = -500021;

-- check error 23503: a user goes away and leaves a plan behind
update public.monthly_plans set user_id = -500003 where id = -500021;
delete from public.users where id = -500003;

-- check error 23503: a user gets another id and leaves a plan behind
update public.monthly_plans set user_id = -500003 where id = -500021;
update public.users set id = -500009 where id = -500003;

-- check error 23503: a plan of no input
update public.monthly_plans set preference_id = -500019 where id = -500021;

-- check error 23503: an input goes away and leaves a plan behind
delete from public.user_goals_and_preferences where id = -500011;

-- check error 23503: an input gets another id and leaves a plan behind
update public.user_goals_and_preferences set id = -500019 where id = -500011;

-- check: a plan gone first, an input may go
delete from public.monthly_plans where preference_id = -500011;
delete from public.user_goals_and_preferences where id = -500011;
select count(*) = 0 from public.user_goals_and_preferences where id = -500011;

-- check error 23502: a plan without id
update public.monthly_plans set id = null where id = -500021;

-- check error 23502: a plan without user_id
update public.monthly_plans set user_id = null where id = -500021;

-- check error 23502: a plan without preference_id
update public.monthly_plans set preference_id = null where id = -500021;

-- check error 23502: a plan without month_year
update public.monthly_plans set month_year = null where id = -500021;

-- check error 23502: a plan without ai_prompt
update public.monthly_plans set ai_prompt = null where id = -500021;

-- check error 23502: a plan without ai_response_raw
update public.monthly_plans set ai_response_raw = null where id = -500021;

-- check error 23502: a plan without generated_at
update public.monthly_plans set generated_at = null where id = -500021;

-- check: monthly_summary may be empty
update public.monthly_plans
set monthly_summary = null
where id = -500021
returning true;

-- check: monthly_plans has these constraints and no other
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'PRIMARY KEY (id)',
  'FOREIGN KEY (preference_id) REFERENCES public.user_goals_and_preferences(id)',
  'FOREIGN KEY (user_id) REFERENCES public.users(id)'
]
from pg_catalog.pg_constraint
where conrelid = 'public.monthly_plans'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: monthly_plans has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'idx_monthly_plans_preference_id btree (preference_id)',
  'idx_monthly_plans_user_month btree (user_id, month_year, generated_at)',
  'monthly_plans_pkey UNIQUE btree (id)'
]
from pg_catalog.pg_indexes
where schemaname = 'public'
  and indexname in (
    'idx_monthly_plans_preference_id',
    'idx_monthly_plans_user_month',
    'monthly_plans_pkey'
  );

-- check none: a comment of monthly_plans that is not the design's
-- The table itself has no name in this list.
with design (name, said) as (
  values
    ('', 'AI generated plan summary.'),
    ('ai_prompt', 'Stores the full context/prompt for debugging and audit.'),
    (
      'ai_response_raw',
      'Stores the full JSON output from the AI (including weekly_breakdown, etc.).'
    ),
    ('monthly_summary', 'Extracted for easy display.'),
    ('preference_id', 'Links the plan to the exact input used.')
),
found (name, said) as (
  select coalesce(a.attname::text, ''), d.description
  from pg_catalog.pg_description as d
  left join pg_catalog.pg_attribute as a on a.attrelid = d.objoid and a.attnum = d.objsubid
    and a.attnum > 0
  where d.objoid = 'public.monthly_plans'::regclass
    and d.classoid = 'pg_catalog.pg_class'::regclass
)
(table design except table found)
union all
(table found except table design);

-- check none: a right, another owner, a policy or a trigger on monthly_plans
with relation as (
  select oid, relname, relkind, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid in (
    'public.monthly_plans'::regclass,
    pg_get_serial_sequence('public.monthly_plans', 'id')::regclass
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
