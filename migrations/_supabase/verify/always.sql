-- What holds in every database behind Supabase's API, whatever is applied there: the walls that a migration of any system
-- could take down in passing. What a system has beyond that, it promises itself.
set local search_path = pg_catalog, pg_temp;

create temporary view api (oid, name) as
select oid, rolname from pg_roles where rolname in ('anon', 'authenticated', 'service_role', 'authenticator');

-- Everybody, and those whom the API lets in from outside.
create temporary view stranger (oid, name) as
select 0::oid, 'public'::name
union all
select oid, rolname from pg_roles where rolname in ('anon', 'authenticated');

-- The schemas that migrations own; auth is the platform's.
create temporary view home (oid, name) as
select n.oid, n.nspname
from pg_namespace as n
where (n.nspname = 'public' or n.nspowner = (select p.nspowner from pg_namespace as p where p.nspname = 'pgvouch'))
  and n.nspname !~ '^pg_'
  and n.nspname not in ('information_schema', 'pgvouch', 'auth');

create temporary view relation as
select
  c.oid, c.oid::regclass::text as name, c.relkind as kind, c.relowner as owner,
  c.relrowsecurity as has_rls, c.relpersistence as persistence,
  coalesce(c.reloptions::text ~ 'security_invoker=(true|on|1|yes)', false) as is_invoker,
  c.relacl || (select array_agg(item) from pg_attribute as a, unnest(a.attacl) as item where a.attrelid = c.oid) as acl
from home
join pg_class as c on c.relnamespace = home.oid
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  and not exists (
    select from pg_depend as d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  );

create temporary view function as
select p.oid, p.oid::regprocedure::text as name, p.prosecdef as is_definer, p.proconfig as settings,
  coalesce(p.proacl, acldefault('f', p.proowner)) as acl,
  p.prorettype in ('trigger'::regtype, 'event_trigger'::regtype) as is_trigger
from home
join pg_proc as p on p.pronamespace = home.oid
where not exists (
  select from pg_depend as d
  where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
);

-- check none: a role of the API with more rights than to be asked as whom
select r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls, r.rolcanlogin
from pg_temp.api
join pg_roles as r on r.oid = api.oid
where r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication
  or r.rolbypassrls and r.rolname <> 'service_role'
  or r.rolcanlogin and r.rolname <> 'authenticator';

-- check none: a role of the API that may become another one, but for authenticator, who has no right before
select api.name, pg_get_userbyid(m.roleid) as becomes
from pg_temp.api
join pg_auth_members as m on m.member = api.oid
where m.admin_option
  or pg_has_role(api.oid, m.roleid, 'usage') and pg_get_userbyid(m.roleid) !~ '^pgsodium_'
  or api.name <> 'authenticator' and pg_get_userbyid(m.roleid) !~ '^pgsodium_'
  or m.roleid not in (select oid from pg_temp.api) and pg_get_userbyid(m.roleid) !~ '^pgsodium_';

-- check none: something that a role of the API owns
select api.name, pg_describe_object(d.classid, d.objid, d.objsubid)
from pg_temp.api
join pg_shdepend as d on d.refclassid = 'pg_authid'::regclass and d.refobjid = api.oid and d.deptype = 'o'
where d.dbid in (0, (select oid from pg_database where datname = current_database()));

-- A limit of time or memory is no harm.
-- check none: a setting of the database, or of a role of the API, that says who is asking or what is seen
select coalesce(api.name, 'the database') as setting_of, setting
from pg_db_role_setting as s
cross join unnest(s.setconfig) as setting
left join pg_temp.api on api.oid = s.setrole
where (s.setrole = 0 or api.oid is not null)
  and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
  and (
    setting ~* '^(role|row_security|session_replication_role|session_authorization)='
    or setting ~* '^search_path=' and s.setrole <> 0
    or setting ~ '^[^=]*\.'
    and setting !~ '^(pgrst|app\.settings|auto_explain|pg_stat_statements|pgaudit|plpgsql|pg_hint_plan|timescaledb|cron)\.'
  );

-- check none: a table without row level security that users or visitors reach
select distinct r.name
from pg_temp.relation as r
cross join aclexplode(r.acl) as x
where r.kind in ('r', 'p') and not r.has_rls and x.grantee in (select oid from pg_temp.stranger);

-- A materialized view, and a foreign table, ask no policy at all.
-- check none: a view with its owner's rights that users or visitors reach
select distinct r.name
from pg_temp.relation as r
cross join aclexplode(r.acl) as x
where (r.kind in ('m', 'f') or r.kind = 'v' and not r.is_invoker) and x.grantee in (select oid from pg_temp.stranger);

-- check none: a table, a view or a sequence that is open to everybody, or to authenticator ahead of its choice
select r.name, x.privilege_type
from pg_temp.relation as r
cross join aclexplode(r.acl) as x
where x.grantee = 0 or x.grantee = (select oid from pg_temp.api where name = 'authenticator');

-- check none: a right that a role of the API may pass on
select r.name
from (select name, acl from pg_temp.relation union all select name, acl from pg_temp.function) as r
cross join aclexplode(r.acl) as x
where x.is_grantable and x.grantee in (select oid from pg_temp.api);

-- check none: a function with its owner's rights whose search_path its caller chooses
select f.name
from pg_temp.function as f
where f.is_definer and not exists (select from unnest(f.settings) as setting where setting ~ '^search_path=');

-- check none: a function with its owner's rights that everybody or a visitor may call
select f.name
from pg_temp.function as f
cross join aclexplode(f.acl) as x
where f.is_definer and not f.is_trigger and (x.grantee = 0 or x.grantee = (select oid from pg_temp.api where name = 'anon'));

-- check none: a schema, or this database, where everybody or a role of the API may create something
select n.nspname, pg_get_userbyid(x.grantee)
from pg_namespace as n
cross join aclexplode(n.nspacl) as x
where x.privilege_type = 'CREATE' and (x.grantee = 0 or x.grantee in (select oid from pg_temp.api))
union all
select 'this database', pg_get_userbyid(x.grantee)
from pg_database as d
cross join aclexplode(d.datacl) as x
where d.datname = current_database() and x.privilege_type = 'CREATE'
  and (x.grantee = 0 or x.grantee in (select oid from pg_temp.api));

-- check none: default privileges that open what is made next to everybody, or to authenticator
select d.defaclnamespace::regnamespace, d.defaclobjtype
from pg_default_acl as d
cross join aclexplode(d.defaclacl) as x
where (x.grantee = 0 and d.defaclobjtype in ('r', 'S'))
  or x.grantee = (select oid from pg_temp.api where name = 'authenticator');

-- Others' tables are those that a foreign key refers to: the accounts.
-- check none: a right of users or visitors on PostgreSQL's catalog, the ledger or others' tables that was not there at first
select c.oid::regclass, x.grantee, x.privilege_type
from pg_class as c
cross join lateral (
  select 0 as subid, c.relacl as acl
  union all
  select a.attnum, a.attacl from pg_attribute as a where a.attrelid = c.oid and a.attacl is not null
) as part
cross join aclexplode(part.acl) as x
where (
    c.relnamespace in ('pg_catalog'::regnamespace, 'pgvouch'::regnamespace)
    or c.oid in (
      select k.confrelid
      from pg_temp.relation as r
      join pg_constraint as k on k.conrelid = r.oid and k.contype = 'f'
    )
    and c.oid not in (select oid from pg_temp.relation)
  )
  and x.grantee in (select oid from pg_temp.stranger)
  and not exists (
    select
    from pg_init_privs as i
    cross join aclexplode(i.initprivs) as was
    where i.classoid = 'pg_class'::regclass and i.objoid = c.oid and i.objsubid = part.subid
      and (was.grantee, was.privilege_type) = (x.grantee, x.privilege_type)
  );

-- check none: a publication of every table, or of a whole schema
select p.pubname
from pg_publication as p
where p.puballtables or exists (select from pg_publication_namespace as n where n.pnpubid = p.oid);

-- check none: a table whose triggers or foreign keys do not fire, that a rule rewrites, or that a crash would empty
select r.name, t.tgname
from pg_temp.relation as r
join pg_trigger as t on t.tgrelid = r.oid
where t.tgenabled <> 'O'
union all
select r.name, w.rulename
from pg_temp.relation as r
join pg_rewrite as w on w.ev_class = r.oid
where w.rulename <> '_RETURN'
union all
select r.name, 'unlogged'
from pg_temp.relation as r
where r.persistence = 'u';
