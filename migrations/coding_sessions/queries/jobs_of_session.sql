-- What a user sees of the queue, session by session.
-- plan: index coding_jobs_session_id_idx
-- plan: no seq scan on coding_jobs
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
from generate_series(1, 1000) as n;

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
from generate_series(1, 10000) as n
join public.projects as project
  on project.id = ('5afe0001-0000-4000-8000-' || lpad((n % 1000 + 1)::text, 12, '0'))::uuid;

-- A queue that works: most jobs are done, a tenth waits.
insert into public.coding_jobs (session_id, prompt, status, priority, created_at)
select
  ('5afe0002-0000-4000-8000-' || lpad((n % 10000 + 1)::text, 12, '0'))::uuid,
  'Job ' || n,
  case
    when n % 10 = 3 then 'pending'
    else (array['completed', 'failed', 'processing'])[n % 3 + 1]
  end,
  (array[0, 0, 0, 5, 10])[n / 10 % 5 + 1],
  now() - make_interval(secs => 100000 - n)
from generate_series(1, 100000) as n;

analyze public.projects, public.coding_sessions, public.coding_jobs;

-- query:
select *
from public.coding_jobs
where session_id = '5afe0002-0000-4000-8000-000000000040'
order by created_at;
