-- The input that a new plan is made from.
-- plan: index idx_user_goals_and_preferences_user_saved
-- plan: no sort
-- plan: no seq scan on user_goals_and_preferences
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
from generate_series(1, 100000) as n;

analyze public.user_goals_and_preferences;

-- query:
select *
from public.user_goals_and_preferences
where user_id = -42
order by input_saved_at desc
limit 1;
