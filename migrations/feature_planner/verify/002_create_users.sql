-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

insert into public.users (id, clerk_id, email, username, display_name)
values
  (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  (:'bob', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');

-- check: an account with what it cannot do without: the defaults, and an id of its own
insert into public.users (clerk_id, email, username, display_name)
values ('user_verify_dee', 'dee@verify.invalid', 'verify_dee', 'Dee');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'clerk_id', 'user_verify_dee', 'email', 'dee@verify.invalid', 'username', 'verify_dee', 'display_name', 'Dee',
    'created_at', localtimestamp, 'updated_at', localtimestamp
  )
  and id <> :'ann'
from public.users as made where clerk_id = 'user_verify_dee';

-- check error 23505: a Clerk id that another account has
update public.users set clerk_id = 'user_verify_bob' where id = :'ann';

-- check error 23505: an address that another account has
update public.users set email = 'bob@verify.invalid' where id = :'ann';

-- check error 23505: a name that another account has
update public.users set username = 'verify_bob' where id = :'ann';

-- The types may have moved with the planner.
-- check: public.users is its owner's alone: no right, policy or trigger of another's
select c.relowner = (select typowner from pg_catalog.pg_type where oid = coalesce(to_regtype('public.complexity'), to_regtype('feature_planner.complexity')))
  and not c.relrowsecurity
  and not exists (select from aclexplode(c.relacl) where grantee <> c.relowner)
  and not exists (select from pg_catalog.pg_attribute where attrelid = c.oid and attacl is not null)
  and not exists (select from pg_catalog.pg_policy where polrelid = c.oid)
  and not exists (
    select from pg_catalog.pg_trigger
    where tgrelid = c.oid and not tgisinternal and tgname <> c.relname || '_updated_at'
  )
from pg_catalog.pg_class as c where c.oid = 'public.users'::regclass;

-- check none: a column of public.users that may be empty, and should not
select attname
from pg_catalog.pg_attribute
where attrelid = 'public.users'::regclass and not attnotnull
  and attname in ('id', 'clerk_id', 'email', 'username', 'display_name', 'created_at', 'updated_at');
