-- The list a user sees after signing in.
-- plan: index projects_user_id_idx
-- plan: no seq scan on projects
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
from generate_series(1, 100000) as n;

analyze public.profiles, public.projects;

-- query:
select *
from public.projects
where user_id = :'ann'
  and status = 'active';
