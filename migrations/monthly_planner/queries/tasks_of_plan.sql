-- The calendar of a plan.
-- plan: index idx_plan_tasks_plan_start
-- plan: no seq scan on plan_tasks
-- time: 10ms
-- rows: 100000

-- load:
insert into public.users (id, name, email)
select -n, 'User ' || n, 'user' || n || '@verify.invalid'
from generate_series(1, 2000) as n;

insert into public.user_goals_and_preferences (
  id,
  user_id,
  goals_text,
  task_complexity,
  focus_areas,
  weekend_preference,
  fixed_commitments_json,
  input_saved_at
)
select
  -n,
  -(n % 2000 + 1),
  'Goals ' || n,
  'Balanced',
  'Health,Work',
  'Mixed',
  '{"commitments": []}',
  timestamp '2025-01-01' + make_interval(hours => n / 2000)
from generate_series(1, 2000) as n;

insert into public.monthly_plans (
  id, user_id, preference_id, month_year, ai_prompt, ai_response_raw, generated_at
)
select
  -n,
  -(n % 2000 + 1),
  -(n % 2000 + 1),
  date '2022-01-01' + make_interval(months => n / 2000 / 2),
  'Prompt ' || n,
  '{"weekly_breakdown": []}',
  timestamp '2022-01-01' + make_interval(hours => n / 2000)
from generate_series(1, 4000) as n;

insert into public.plan_tasks (
  id, plan_id, task_description, focus_area, start_time, end_time
)
select
  -n,
  -(n % 4000 + 1),
  'Task ' || n,
  'Health',
  timestamp '2026-01-01' + make_interval(hours => n / 4000 * 7 % 700),
  timestamp '2026-01-01 01:00' + make_interval(hours => n / 4000 * 7 % 700)
from generate_series(1, 100000) as n;

analyze public.plan_tasks;

-- query:
select *
from public.plan_tasks
where plan_id = -42
order by start_time;
