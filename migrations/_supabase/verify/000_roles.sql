-- check none: a role that is missing or has other rights than it should
select wanted.name, role.rolcanlogin, role.rolinherit, role.rolbypassrls, role.rolsuper
from (
  values
    ('anon', false, false),
    ('authenticated', false, false),
    ('service_role', false, true),
    ('authenticator', true, false)
) as wanted (name, may_log_in, sees_past_rls)
left join pg_catalog.pg_roles as role on role.rolname = wanted.name
where role.oid is null
  or role.rolcanlogin <> wanted.may_log_in
  or role.rolbypassrls <> wanted.sees_past_rls
  or role.rolsuper
  or role.rolcreaterole;

-- check: authenticator is nobody until it chooses whom to act as
select not rolinherit from pg_catalog.pg_roles where rolname = 'authenticator';

-- check: authenticator may become each API role
select pg_catalog.pg_has_role('authenticator', api.name, 'member')
from (values ('anon'), ('authenticated'), ('service_role')) as api (name);

-- check: no API role may become another
select not pg_catalog.pg_has_role(one.name, other.name, 'member')
from (values ('anon'), ('authenticated'), ('service_role')) as one (name)
join (values ('anon'), ('authenticated'), ('service_role'), ('authenticator')) as other (name)
  on one.name <> other.name;

-- check: service_role sees rows that no policy shows
create temporary table hidden as select 'a row' as content;
alter table hidden enable row level security;
grant select on hidden to service_role;
-- as: service
select count(*) = 1 from hidden;

-- check none: rows that no policy shows, seen by a user
create temporary table hidden as select 'a row' as content;
alter table hidden enable row level security;
grant select on hidden to authenticated;
-- as: ann
select content from hidden;

-- check none: rows that no policy shows, seen by a visitor
create temporary table hidden as select 'a row' as content;
alter table hidden enable row level security;
grant select on hidden to anon;
-- as: visitor
select content from hidden;
