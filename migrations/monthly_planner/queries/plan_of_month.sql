-- The plan that a user sees: of the month's plans, the one made last.
-- plan: index idx_monthly_plans_user_month
-- plan: no sort
-- plan: no seq scan on monthly_plans
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
from generate_series(1, 100000) as n;

analyze public.monthly_plans;

-- query:
select *
from public.monthly_plans
where user_id = -42
  and month_year = '2023-02-01'
order by generated_at desc
limit 1;
