-- The caller's plans, public or not. Three indexes begin with user_id, and any of them serves.
-- plan: no seq scan on learning_plans
-- plan: no seq scan on users
-- time: 10ms
-- rows: 100000
-- as: ann

-- load:
insert into public.users (id, clerk_user_id, email)
select
  ('5afe0000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  'user_verify_' || case n when 42 then 'ann' else n::text end,
  'user' || n || '@verify.invalid'
from generate_series(1, 10000) as n;

-- A tenth of the plans is public: the policies on plans let everybody see those as well.
insert into public.learning_plans
  (id, user_id, topic, skill_level, weekly_hours, learning_style, visibility, generation_status)
select
  ('5afe0001-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  ('5afe0000-0000-4000-8000-' || lpad((n % 10000 + 1)::text, 12, '0'))::uuid,
  'Topic ' || n,
  'beginner',
  10,
  'mixed',
  case when n / 10000 % 10 = 7 then 'public' else 'private' end,
  'ready'
from generate_series(1, 100000) as n;

insert into public.plan_schedules
  (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
select
  plan.id,
  '{"weeks": [], "totalWeeks": 0, "totalSessions": 0}',
  md5(plan.id::text),
  'UTC',
  plan.weekly_hours,
  '2025-02-03'
from public.learning_plans as plan
where plan.topic like 'Topic %';

analyze public.users, public.learning_plans, public.plan_schedules;

-- query:
select *
from public.learning_plans
where user_id = :'ann';
