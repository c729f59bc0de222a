create table public.verify_new_table (id integer);
create sequence public.verify_new_sequence;
create function public.verify_new_function() returns integer language sql return 1;

-- check: the API roles may use schema public by a grant of their own
select count(distinct door.grantee) = 3
from pg_catalog.pg_namespace as schema
cross join lateral aclexplode(schema.nspacl) as door
join pg_catalog.pg_roles as api on api.oid = door.grantee
where schema.nspname = 'public'
  and door.privilege_type = 'USAGE'
  and not door.is_grantable
  and api.rolname in ('anon', 'authenticated', 'service_role');

-- check none: an API role that a new table is not open to
select api.name, privilege.name
from (values ('anon'), ('authenticated'), ('service_role')) as api (name)
cross join (
  values ('select'), ('insert'), ('update'), ('delete'), ('truncate'), ('references'), ('trigger')
) as privilege (name)
where not has_table_privilege(api.name, 'public.verify_new_table', privilege.name);

-- check none: an API role that a new sequence is not open to
select api.name, privilege.name
from (values ('anon'), ('authenticated'), ('service_role')) as api (name)
cross join (values ('usage'), ('select'), ('update')) as privilege (name)
where not has_sequence_privilege(api.name, 'public.verify_new_sequence', privilege.name);

-- check: a new function is open to each API role by a grant of its own, not only as to everybody
select count(distinct door.grantee) = 3
from pg_catalog.pg_proc as function
cross join lateral aclexplode(function.proacl) as door
join pg_catalog.pg_roles as api on api.oid = door.grantee
where function.oid = 'public.verify_new_function()'::regprocedure
  and door.privilege_type = 'EXECUTE'
  and api.rolname in ('anon', 'authenticated', 'service_role');

-- check none: a right on something new that may be passed on
select door.grantee::regrole, door.privilege_type
from (
  select relacl
  from pg_catalog.pg_class
  where oid in ('public.verify_new_table'::regclass, 'public.verify_new_sequence'::regclass)
  union all
  select proacl
  from pg_catalog.pg_proc where oid = 'public.verify_new_function()'::regprocedure
) as lock (acl)
cross join lateral aclexplode(lock.acl) as door where door.is_grantable;

-- check as visitor: without row level security a visitor changes a table, which is why every table needs it
insert into public.verify_new_table values (1);
select id = 1 from public.verify_new_table;
