-- Roles for one database: an owner that migrates, an application that works with rows, and one that only waits.
--
--   psql --dbname notes --file least_privilege.sql \
--     --set owner=notes_owner --set app=notes_app --set waiter=notes_waiter
--
-- Run it once as a superuser, or as an administrator with CREATEROLE who owns the database; a second time does no
-- harm. It sets no passwords: \password notes_owner sends only their digest.
-- Projects with .delta files: add --set defaults=off, and see docs/deploying.md.
-- Not for Supabase, whose services log in as roles of their own: there it refuses, and changes nothing.

\set ON_ERROR_STOP on
\if :{?owner}
\else
  \set owner :DBNAME _owner
\endif
\if :{?app}
\else
  \set app :DBNAME _app
\endif
\if :{?waiter}
\else
  \set waiter :DBNAME _waiter
\endif
\if :{?defaults}
\else
  \set defaults on
\endif

-- One transaction: all of it, or nothing.
begin;

select format('do $$begin raise exception %L using hint = %L; end$$',
  'this is a Supabase project: its services would lose CONNECT on the database, and its owner the schema public',
  'Supabase has its roles already: docs/deploying.md, "Supabase". Nothing was changed.')
where exists (select from pg_catalog.pg_roles where rolname = 'supabase_admin')
\gexec

-- None of them is anything but a login. A role that is there already has to be as harmless.
select format('create role %I login nocreatedb nocreaterole', name)
from unnest(array[:'owner', :'app', :'waiter']) as name
where not exists (select from pg_catalog.pg_roles where rolname = name)
\gexec

select format('do $$begin raise exception %L; end$$', rolname
  || ' may do too much: it is a superuser, or may create roles, replicate or pass by row level security')
from pg_catalog.pg_roles
where rolname in (:'owner', :'app', :'waiter') and (rolsuper or rolcreaterole or rolreplication or rolbypassrls)
\gexec

select format('do $$begin raise exception %L; end$$', m.rolname || ' is a member of ' || o.rolname || ': it could become it')
from pg_catalog.pg_roles as m
  join pg_catalog.pg_roles as o on o.rolname = :'owner' or o.rolsuper
where m.rolname in (:'app', :'waiter') and pg_has_role(m.oid, o.oid, 'member')
\gexec

-- Only these three get in. Others may have been let in by PUBLIC: they need a grant of their own now.
revoke all on database :"DBNAME" from public;
grant connect on database :"DBNAME" to :"owner", :"app", :"waiter";
-- CREATE is for schemas: the ledger's, and those of migrations.
grant create, temporary on database :"DBNAME" to :"owner";

-- The administrator acts for the owner for a moment; a superuser could do without.
grant :"owner" to current_user;

-- A migration whose runner was killed, and its lock, end within seconds; otherwise with the running statement.
alter role :"owner" in database :"DBNAME" set client_connection_check_interval = '5s';

-- The owner owns the schema; the application may look names up in it, and create nothing.
revoke all on schema public from public;
alter schema public owner to :"owner";
grant usage on schema public to :"app";

-- So that promises can say `set local role` and see what the application sees. Never the other way round.
grant :"app" to :"owner";

\if :defaults
  -- What comes: every table and sequence that the owner makes in this schema.
  alter default privileges for role :"owner" in schema public
    grant select, insert, update, delete on tables to :"app";
  alter default privileges for role :"owner" in schema public
    grant usage on sequences to :"app";
\endif

-- What is there, where an older project goes on: rows, but not the ledger that stock yoyo keeps.
select format('grant select, insert, update, delete on table %s to %I', c.oid::regclass, :'app')
from pg_catalog.pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and pg_get_userbyid(c.relowner) = :'owner'
  and c.relname not in ('_yoyo_migration', '_yoyo_log', '_yoyo_version', 'yoyo_lock')
\gexec
select format('grant usage on sequence %s to %I', c.oid::regclass, :'app')
from pg_catalog.pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind = 'S' and pg_get_userbyid(c.relowner) = :'owner'
\gexec

revoke :"owner" from current_user;
commit;
