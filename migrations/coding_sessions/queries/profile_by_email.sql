-- What the payment provider's messages are matched by. Either index on the address serves it.
-- plan: no seq scan on profiles
-- time: 10ms
-- rows: 100000

-- load:
insert into auth.users (id, email)
select
  ('5afe0000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  'user' || n || '@verify.invalid'
from generate_series(1, 100000) as n;

analyze public.profiles;

-- query:
select *
from public.profiles
where email = 'user42@verify.invalid';
