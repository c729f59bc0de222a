-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- The ids of the checks are negative: no sequence gives those.
insert into public.users (id, name, email)
values
  (-500001, 'Ann', 'ann@verify.invalid'),
  (-500002, 'Bob', 'bob@verify.invalid'),
  (-500003, 'Cy', 'cy@verify.invalid');
insert into public.generation_quota (id, user_id, month_year, total_allowed, generations_used, resets_on)
values (-500041, -500001, '2001-02-01', 3, 2, '2001-03-01'), (-500042, -500002, '2001-02-01', 3, 3, '2001-03-01');

-- check: a quota with nothing used: the defaults, and the next id
insert into public.generation_quota (id, user_id, month_year, total_allowed, resets_on)
values (-500091, -500001, '2001-03-01', 5, '2001-04-01');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'user_id', -500001,
    'month_year', '2001-03-01',
    'total_allowed', 5,
    'generations_used', 0,
    'resets_on', '2001-04-01'
  )
  and exists (
    -- Looked up, not drawn: a number that a sequence has given is gone, on a live database too.
    select
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_depend as needs
      on needs.classid = 'pg_catalog.pg_attrdef'::regclass
      and needs.objid = d.oid
    where d.adrelid = 'public.generation_quota'::regclass
      and needs.refobjid = pg_get_serial_sequence('public.generation_quota', 'id')::regclass
  )
from public.generation_quota as made
where user_id = -500001 and month_year = '2001-03-01';

-- check error 23505: a second quota of a user for the same month
insert into public.generation_quota (id, user_id, month_year, total_allowed, resets_on)
values (-500092, -500001, '2001-02-01', 100, '2001-03-01');

-- check error 23514: a second quota of a user for the same month, under another of its days
insert into public.generation_quota (id, user_id, month_year, total_allowed, resets_on)
values (-500093, -500001, '2001-02-02', 100, '2001-03-01');

-- check error 23514: a month that never comes
update public.generation_quota set month_year = 'infinity' where id = -500041;

-- check: the first day of every month is a month
insert into public.generation_quota (id, user_id, month_year, total_allowed, resets_on)
select -500100 - extract(month from day)::int, -500001, day::date, 1, '2000-02-01'
from generate_series('2000-01-01'::timestamp, '2000-12-01', interval '1 month') as day;
select count(*) = 12 from public.generation_quota where user_id = -500001 and resets_on = '2000-02-01';

-- check error 23514: more used than allowed
update public.generation_quota set generations_used = 4 where id = -500041;

-- check error 23514: less than nothing used
update public.generation_quota set generations_used = -1 where id = -500041;

-- check error 23514: a quota lowered below what is used
update public.generation_quota set total_allowed = 1 where id = -500041;

-- check: a quota lowered to what is used leaves nothing over, whatever less is asked for
update public.generation_quota set total_allowed = greatest(1, generations_used) where id in (-500041, -500042);
with taken as (
  update public.generation_quota set generations_used = generations_used + 1
  where id in (-500041, -500042) and generations_used < total_allowed returning id
)
select
  (select count(*) = 0 from taken)
  and (
    select array_agg(total_allowed order by id desc) = '{2,3}'
    from public.generation_quota where id in (-500041, -500042)
  );

-- check error 23514: less than nothing allowed
update public.generation_quota set total_allowed = -1, generations_used = 0 where id = -500041;

-- check: all of a quota may be used, and none of one that allows none
update public.generation_quota set generations_used = 3 where id = -500041;
update public.generation_quota set total_allowed = 0, generations_used = 0 where id = -500042;
select array_agg(generations_used = total_allowed) = '{t,t}'
from public.generation_quota where id in (-500041, -500042);

-- check: one statement takes a generation where one is left, and none where none is
with taken as (
  update public.generation_quota set generations_used = generations_used + 1
  where user_id in (-500001, -500002) and month_year = '2001-02-01' and generations_used < total_allowed
  returning user_id, generations_used
)
select array_agg((user_id, generations_used)::text) = '{"(-500001,3)"}' from taken;

-- check error 23503: a quota of no user
update public.generation_quota set user_id = -500009 where id = -500041;

-- check error 23503: a user goes away and leaves a quota behind
update public.generation_quota set user_id = -500003 where id = -500041;
delete from public.users where id = -500003;

-- check error 23503: a user gets another id and leaves a quota behind
update public.generation_quota set user_id = -500003 where id = -500041;
update public.users set id = -500009 where id = -500003;

-- check: a quota gone first, a user may go
delete from public.generation_quota where user_id = -500001;
delete from public.users where id = -500001;
select count(*) = 0 from public.users where id = -500001;

-- check error 23502: a quota without id
update public.generation_quota set id = null where id = -500041;

-- check error 23502: a quota without user_id
update public.generation_quota set user_id = null where id = -500041;

-- check error 23502: a quota without month_year
update public.generation_quota set month_year = null where id = -500041;

-- check error 23502: a quota without total_allowed
update public.generation_quota set total_allowed = null where id = -500041;

-- check error 23502: a quota without generations_used
update public.generation_quota set generations_used = null where id = -500041;

-- check error 23502: a quota without resets_on
update public.generation_quota set resets_on = null where id = -500041;
