-- Takes one generation where one is left, and gives no row where none is. Reading first and writing
-- after would let two requests at once both take the last one.
-- plan: index generation_quota_user_id_month_year_unique
-- plan: no seq scan on generation_quota
-- time: 10ms
-- rows: 100000

-- load:
insert into public.users (id, name, email)
select -n, 'User ' || n, 'user' || n || '@verify.invalid'
from generate_series(1, 2000) as n;

insert into public.generation_quota (
  user_id, month_year, total_allowed, generations_used, resets_on
)
select
  -(n % 2000 + 1),
  month,
  100,
  n % 50,
  month + interval '1 month'
from generate_series(1, 100000) as n,
  lateral (select date '2000-01-01' + make_interval(months => n / 2000)) as m (month);

analyze public.generation_quota;

-- query:
update public.generation_quota
set generations_used = generations_used + 1
where user_id = -42
  and month_year = '2001-02-01'
  and generations_used < total_allowed
returning generations_used;
