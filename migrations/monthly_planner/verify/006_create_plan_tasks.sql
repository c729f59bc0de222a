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

-- check: a task with its place in the calendar: the defaults, and the next id
insert into public.plan_tasks (id, plan_id, task_description, focus_area, start_time, end_time)
values (-500091, -500021, 'Swim', 'Health', '2001-02-04 07:00', '2001-02-04 08:00');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'plan_id', -500021,
    'task_description', 'Swim',
    'focus_area', 'Health',
    'start_time', '2001-02-04T07:00:00',
    'end_time', '2001-02-04T08:00:00',
    'difficulty_level', null,
    'scheduling_reason', null,
    'is_completed', false
  )
  and exists (
    -- Looked up, not drawn: a number that a sequence has given is gone, on a live database too.
    select
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_depend as needs
      on needs.classid = 'pg_catalog.pg_attrdef'::regclass
      and needs.objid = d.oid
    where d.adrelid = 'public.plan_tasks'::regclass
      and needs.refobjid = pg_get_serial_sequence('public.plan_tasks', 'id')::regclass
  )
from public.plan_tasks as made
where plan_id = -500021 and task_description = 'Swim';

-- check error 23514: a task that ends before it starts
update public.plan_tasks set end_time = '2001-02-03 06:59' where id = -500031;

-- check error 23514: a task that ends when it starts
update public.plan_tasks set end_time = start_time where id = -500031;

-- check: a task may be over in a moment, or last past midnight
update public.plan_tasks set end_time = start_time + interval '1 microsecond' where id = -500031;
update public.plan_tasks set end_time = '2001-02-04 01:00' where id = -500032;
select count(*) = 2 from public.plan_tasks where id in (-500031, -500032);

-- check: a time is kept as the calendar shows it, wherever it is read
set local timezone = 'Asia/Tokyo';
select start_time::text = '2001-02-03 07:00:00' from public.plan_tasks where id = -500031;

-- check: focus_area of 50 characters, whatever they are
update public.plan_tasks set focus_area = repeat('é', 50) where id = -500031;
select length(focus_area) = 50 from public.plan_tasks where id = -500031;

-- check error 22001: focus_area of 51 characters
update public.plan_tasks set focus_area = repeat('é', 51) where id = -500031;

-- check: difficulty_level of 20 characters, whatever they are
update public.plan_tasks set difficulty_level = repeat('é', 20) where id = -500031;
select length(difficulty_level) = 20 from public.plan_tasks where id = -500031;

-- check error 22001: difficulty_level of 21 characters
update public.plan_tasks set difficulty_level = repeat('é', 21) where id = -500031;

-- check: scheduling_reason of 100 characters, whatever they are
update public.plan_tasks set scheduling_reason = repeat('é', 100) where id = -500031;
select length(scheduling_reason) = 100 from public.plan_tasks where id = -500031;

-- check error 22001: scheduling_reason of 101 characters
update public.plan_tasks set scheduling_reason = repeat('é', 101) where id = -500031;

-- check error 23503: a task of no plan
update public.plan_tasks set plan_id = -500029 where id = -500031;

-- check error 23503: a plan goes away and leaves a task behind
delete from public.monthly_plans where id = -500021;

-- check error 23503: a plan gets another id and leaves a task behind
update public.monthly_plans set id = -500029 where id = -500021;

-- check: a task gone first, a plan may go
delete from public.plan_tasks where plan_id = -500021;
delete from public.monthly_plans where id = -500021;
select count(*) = 0 from public.monthly_plans where id = -500021;

-- check error 23502: a task without id
update public.plan_tasks set id = null where id = -500031;

-- check error 23502: a task without plan_id
update public.plan_tasks set plan_id = null where id = -500031;

-- check error 23502: a task without task_description
update public.plan_tasks set task_description = null where id = -500031;

-- check error 23502: a task without focus_area
update public.plan_tasks set focus_area = null where id = -500031;

-- check error 23502: a task without start_time
update public.plan_tasks set start_time = null where id = -500031;

-- check error 23502: a task without end_time
update public.plan_tasks set end_time = null where id = -500031;

-- check error 23502: a task without is_completed
update public.plan_tasks set is_completed = null where id = -500031;

-- check: difficulty_level, scheduling_reason may be empty
update public.plan_tasks set difficulty_level = null, scheduling_reason = null where id = -500031 returning true;
