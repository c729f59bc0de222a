-- What the insights are worked out from: three months of a user's history.
-- plan: index idx_user_activity_history_user_logged
-- plan: no seq scan on user_activity_history
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
from generate_series(1, 2000) as n;

insert into public.plan_tasks (
  id, plan_id, task_description, focus_area, start_time, end_time
)
select
  -n,
  -(n % 2000 + 1),
  'Task ' || n,
  'Health',
  timestamp '2026-01-01' + make_interval(hours => n / 2000 * 7 % 700),
  timestamp '2026-01-01 01:00' + make_interval(hours => n / 2000 * 7 % 700)
from generate_series(1, 10000) as n;

insert into public.user_activity_history (user_id, task_id, was_completed, logged_at)
select
  -(n % 2000 + 1),
  -(n % 10000 + 1),
  n % 3 > 0,
  timestamp '2025-01-01' + make_interval(days => n / 2000 * 10)
from generate_series(1, 100000) as n;

analyze public.user_activity_history;

-- query:
select *
from public.user_activity_history
where user_id = -42
  and logged_at >= timestamp '2026-03-01'
order by logged_at;
