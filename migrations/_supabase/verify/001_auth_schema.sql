insert into auth.users (id, email) values (:'ann', 'a@verify.invalid');

-- check as ann: the caller is the `sub` of the token
select auth.uid() = :'ann';

-- check as service: the role is the `role` of the token
select auth.role() = 'service_role';

-- check as visitor: the claims are the token's, all of them
select set_config('request.jwt.claims', '{"role": "anon", "app_metadata": {"plan": "free"}}', true);
select auth.jwt() = '{"role": "anon", "app_metadata": {"plan": "free"}}';

-- check as visitor: a connection without a token is nobody
select set_config('request.jwt.claims', '', true);
select auth.uid() is null and auth.role() is null and auth.jwt() is null;

-- check: a token without `sub`, or with an empty one, is nobody
select set_config('request.jwt.claims', '{"role": "anon", "sub": ""}', true);
create temporary table answers as select auth.uid() as caller;
select set_config('request.jwt.claims', '{"role": "anon"}', true);
insert into answers select auth.uid();
select caller is null from answers;

-- check: the functions have the rights of whoever asks, and tell the same within a statement
select not prosecdef and provolatile = 's'
from pg_catalog.pg_proc
where oid in ('auth.uid()'::regprocedure, 'auth.role()'::regprocedure, 'auth.jwt()'::regprocedure);

-- check none: an API role that may not ask who it is
select api.name, question.name
from (values ('anon'), ('authenticated'), ('service_role')) as api (name)
cross join (values ('auth.uid()'), ('auth.role()'), ('auth.jwt()')) as question (name)
where not has_schema_privilege(api.name, 'auth', 'usage')
  or not has_function_privilege(api.name, question.name, 'execute');

-- check none: a door of the auth schema that is open to others or may be passed on
select lock.name, pg_catalog.pg_get_userbyid(door.grantee), door.privilege_type, door.is_grantable
from (
  select nspname::text, nspacl, nspowner
  from pg_catalog.pg_namespace where nspname = 'auth'
  union all
  select proname::text, coalesce(proacl, acldefault('f', proowner)), proowner
  from pg_catalog.pg_proc
  where oid in ('auth.uid()'::regprocedure, 'auth.role()'::regprocedure, 'auth.jwt()'::regprocedure)
) as lock (name, acl, owner)
cross join lateral aclexplode(lock.acl) as door
where door.grantee <> lock.owner
  and (
    door.is_grantable
    or door.privilege_type not in ('USAGE', 'EXECUTE')
    or pg_catalog.pg_get_userbyid(door.grantee) not in ('anon', 'authenticated', 'service_role')
  );

-- check error 42501 as ann: a user reads accounts
select id from auth.users;

-- check error 42501 as visitor: a visitor reads accounts
select id from auth.users;

-- check none: an API role with any right on the accounts
select api.name
from (values ('anon'), ('authenticated'), ('service_role')) as api (name)
where has_any_column_privilege(api.name, 'auth.users', 'select, insert, update, references')
  or has_table_privilege(api.name, 'auth.users', 'delete, truncate, trigger');

-- check: accounts have row level security, should a grant ever slip in
select relrowsecurity from pg_catalog.pg_class where oid = 'auth.users'::regclass;

-- check error 23505: two accounts of one address
insert into auth.users (id, email) values (:'bob', 'a@verify.invalid');
