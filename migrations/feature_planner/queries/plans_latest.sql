-- A user's ten newest plans.
-- plan: no sort
-- plan: no seq scan on feature_plans
-- time: 10ms
-- rows: 10000

-- load:
insert into public.users (id, clerk_id, email, username, display_name)
select
  ('5afe0000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  'user_verify_' || n,
  'user' || n || '@verify.invalid',
  'verify_' || n,
  'User ' || n
from generate_series(1, 200) as n
on conflict (id) do nothing;

insert into feature_planner.feature_plans
  (id, user_id, original_request, status, version, parent_plan_id, created_at)
select
  ('5afe0001-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  ('5afe0000-0000-4000-8000-' || lpad((n % 200 + 1)::text, 12, '0'))::uuid,
  'Request ' || n || case when n % 500 = 0 then ' about searching' else ' about sorting' end,
  (
    case
      when n % 50 = 0 then 'completed'
      else (array['draft', 'refining', 'failed', 'cancelled'])[n % 4 + 1]
    end
  )::feature_planner.plan_status,
  n % 10 + 1,
  case
    when n % 10 > 0
      then ('5afe0001-0000-4000-8000-' || lpad((n - n % 10)::text, 12, '0'))::uuid
  end,
  timestamp '2025-01-01' + make_interval(mins => n)
from generate_series(1, 10000) as n
on conflict (id) do nothing;

analyze feature_planner.feature_plans;

-- query:
select *
from feature_planner.feature_plans
where user_id = '5afe0000-0000-4000-8000-000000000042'
order by created_at desc
limit 10;
