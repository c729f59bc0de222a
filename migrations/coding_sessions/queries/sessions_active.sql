-- The sessions a user may go back to.
-- plan: index coding_sessions_user_id_idx
-- plan: no seq scan on coding_sessions
-- time: 10ms
-- rows: 100000
-- as: ann

-- load:
insert into auth.users (id, email)
select
  ('5afe0000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  'user' || n || '@verify.invalid'
from generate_series(1, 500) as n;

insert into public.projects (id, user_id, name, status)
select
  ('5afe0001-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  ('5afe0000-0000-4000-8000-' || lpad((n % 500 + 1)::text, 12, '0'))::uuid,
  'Project ' || n,
  (array['active', 'active', 'active', 'archived', 'deleted'])[n / 500 % 5 + 1]
from generate_series(1, 10000) as n;

-- As after some months: nearly all sessions are over, one in a hundred is open, some are overdue.
insert into public.coding_sessions (id, user_id, project_id, initial_prompt, status, expires_at)
select
  ('5afe0002-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  project.user_id,
  project.id,
  'Prompt ' || n,
  case
    when n / 500 % 100 = 3 then 'active'
    when n / 500 % 200 = 7 then 'pending'
    else (array['completed', 'expired', 'failed'])[n % 3 + 1]
  end,
  now() + make_interval(hours => case when n / 500 % 200 = 3 then 1 else -n / 100 end)
from generate_series(1, 100000) as n
join public.projects as project
  on project.id = ('5afe0001-0000-4000-8000-' || lpad((n % 10000 + 1)::text, 12, '0'))::uuid;

analyze public.projects, public.coding_sessions;

-- query:
select *
from public.coding_sessions
where user_id = :'ann'
  and status = 'active';
