-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- The ids of the checks are those of nobody.
insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');

-- check none: a trigger function that others may call, with other rights or another search_path
select proname, prosecdef, proconfig, proacl
from pg_catalog.pg_proc
where oid in ('public.update_updated_at_column()'::regprocedure, 'public.generate_invite_code()'::regprocedure)
  and (
    prosecdef
    or proconfig is distinct from array['search_path=""']
    or proacl is null
    or exists (select from aclexplode(proacl) as door where door.grantee <> proowner)
  );

-- check: a user with an address and a name: the defaults, and an invite code
insert into public.users (email, display_name) values ('cy@verify.invalid', 'Cy');
select to_jsonb(made) @> jsonb_build_object(
    'password_hash', null,
    'unit_preference', 'kg',
    'email_verified', false,
    'email_verified_at', null,
    'invited_by', null,
    'created_at', localtimestamp,
    'updated_at', localtimestamp,
    'last_login_at', null
  )
  and invite_code ~ '^[0-9A-F]{8}$'
from public.users as made where email = 'cy@verify.invalid';

-- check: nobody has the invite code of another
select count(distinct invite_code) = 2 from public.users where id in (:'ann', :'bob');

-- check: an invite code is eight digits by lot: each takes most of its 16 values, on its own
insert into public.users (email, display_name)
select number || '@verify.invalid', 'Many' from generate_series(1, 100) as number;
select count(distinct digit) >= 10, place, count(distinct digit)
from public.users
cross join generate_series(1, 8) as place
cross join substr(invite_code, place, 1) as digit where display_name = 'Many' and email like '%@verify.invalid'
group by place
union all
select count(*) < 10, null, count(*)
from public.users
where display_name = 'Many'
  and email like '%@verify.invalid'
  and left(invite_code, 4) in (right(invite_code, 4), reverse(right(invite_code, 4)));

-- check: an update is dated with the time of the transaction, whatever date the row has
insert into public.users (email, display_name, updated_at) values ('cy@verify.invalid', 'Cy', 'infinity');
update public.users set display_name = 'Cyd', updated_at = 'infinity' where email = 'cy@verify.invalid'
returning updated_at = localtimestamp, updated_at;

-- check: an invite code that is given is kept, and an update asks for none
insert into public.users (email, display_name, invite_code) values ('cy@verify.invalid', 'Cy', 'VERIFY-5AFE-CY');
update public.users set display_name = 'Cyd' where email = 'cy@verify.invalid';
select invite_code = 'VERIFY-5AFE-CY' from public.users where email = 'cy@verify.invalid';

-- check error 23502: an invite code that is taken away
update public.users set invite_code = null where id = :'ann';

-- check error 23505: an invite code that another user has
update public.users set invite_code = bob.invite_code from public.users as bob
where users.id = :'ann' and bob.id = :'bob';

-- check error 23505: an address that another user has
update public.users set email = 'bob@verify.invalid' where id = :'ann';

-- check error 23514: a unit that is neither kg nor lb
update public.users set unit_preference = 'st' where id = :'ann';

-- check: pounds are a unit
update public.users set unit_preference = 'lb' where id = :'ann' returning true;

-- check error 23514: a user invited by nobody else
update public.users set invited_by = id where id = :'ann';

-- check: when a user goes, those who were invited stay
update public.users set invited_by = :'ann' where id = :'bob';
delete from public.users where id = :'ann';
select invited_by is null from public.users where id = :'bob';

-- check: generate_user_invite_code runs before every insert of a row of public.users
-- 1 for each row + 2 before + 4 insert, and no other event
select tgtype = 1 + 2 + 4 and tgenabled = 'O' and tgqual is null
  and tgfoid = 'public.generate_invite_code()'::regprocedure
from pg_catalog.pg_trigger where tgrelid = 'public.users'::regclass and tgname = 'generate_user_invite_code';

-- check: what users refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (invited_by) REFERENCES public.users(id) ON DELETE SET NULL'
] from pg_catalog.pg_constraint where conrelid = 'public.users'::regclass and contype = 'f';

-- stamp: updated_at_trigger(table="users", function="update_updated_at_column",
--   name="update_users_updated_at")
-- stamped: updated_at_trigger sha256:8ec56ba6cd13d9b1  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_users_updated_at runs public.update_updated_at_column before every update of a row of public.users, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table users as select * from public.users with no data;
create trigger update_users_updated_at before update on pg_temp.users for each row execute function public.update_updated_at_column();
insert into pg_temp.users (updated_at) values ('2999-01-01');
update pg_temp.users set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.users as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'users', 'update_users_updated_at');
-- end stamp
