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
insert into public.monthly_plans (id, user_id, preference_id, month_year, ai_prompt, ai_response_raw, monthly_summary)
values
  (-500021, -500001, -500011, '2001-02-01', 'Plan a month', '{}', 'Ann''s month'),
  (-500022, -500002, -500012, '2001-02-01', 'Plan a month', '{}', 'Bob''s month');
insert into public.plan_tasks (
  id, plan_id, task_description, focus_area, start_time, end_time, difficulty_level,
  scheduling_reason
)
values
  (-500031, -500021, 'Run', 'Health', '2001-02-03 07:00', '2001-02-03 08:00', 'easy', 'Peak Energy Window'),
  (-500032, -500022, 'Read', 'Learning', '2001-02-03 20:00', '2001-02-03 21:00', 'easy', 'Quiet');
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
from public.user_activity_history where task_id = -500031;

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
set actual_start_time = null, actual_end_time = null, duration_deviation = null where id = -500051
returning true;
