-- A Supabase project as far as it matters here, made by a superuser on a server of its own. The auth schema is the platform
-- set's own, filled in below. `project_admin` has what `postgres` has there: no superuser, BYPASSRLS, CREATEROLE, member of
-- the three roles of the API.

create role supabase_admin superuser nologin;
create role supabase_auth_admin login noinherit createrole;
create role project_admin login bypassrls createrole createdb;
create role anon nologin;
create role authenticated nologin;
create role service_role nologin bypassrls;
create role authenticator login noinherit;
grant anon, authenticated, service_role to authenticator, project_admin;
-- next

do $$ begin execute format('grant create on database %I to supabase_auth_admin, project_admin', current_database()); end $$;
grant usage, create on schema public to project_admin;
grant usage on schema public to anon, authenticated, service_role;
alter default privileges for role project_admin in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges for role project_admin in schema public
  grant all on sequences to anon, authenticated, service_role;
alter default privileges for role project_admin in schema public
  grant all on functions to anon, authenticated, service_role;
create publication supabase_realtime;
alter publication supabase_realtime owner to project_admin;

set role supabase_auth_admin;
{auth}
create table auth.sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  created_at timestamptz not null default now()
);
create table auth.refresh_tokens (
  id bigint generated always as identity primary key,
  session_id uuid not null references auth.sessions (id) on delete cascade,
  token text not null default gen_random_uuid()
);
create table auth.identities (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade
);
grant usage on schema auth to project_admin;
grant all on all tables in schema auth to project_admin;
grant execute on all functions in schema auth to project_admin;
reset role;

-- supautils 3.4: for every one of these statements, whatever table they are about, it looks up the tables of its
-- configuration in the order of their names, and locks each until the transaction ends. For DROP TRIGGER it lends the right
-- to do it on the platform's tables.
create schema supautils;
grant usage on schema supautils to public;
-- What is counted stays counted when the transaction is rolled back.
create sequence supautils.locked;
create function supautils.lend() returns void language plpgsql security definer
  as $$ begin grant supabase_auth_admin to project_admin with admin option; end $$;
create function supautils.take_back() returns void language plpgsql security definer
  as $$ begin revoke supabase_auth_admin from project_admin; end $$;
create function supautils.count() returns void language sql security definer
  as $$ select nextval('supautils.locked') $$;
create function supautils.hook() returns event_trigger language plpgsql as $$
begin
  if current_user = 'project_admin' then
    if tg_event = 'ddl_command_start' then
      perform supautils.count();
      lock table auth.identities in access exclusive mode;
      lock table auth.refresh_tokens in access exclusive mode;
      lock table auth.sessions in access exclusive mode;
      lock table auth.users in access exclusive mode;
    end if;
    if tg_tag = 'DROP TRIGGER' and tg_event = 'ddl_command_start' then
      perform supautils.lend();
    elsif tg_tag = 'DROP TRIGGER' then
      perform supautils.take_back();
    end if;
  end if;
end $$;
create event trigger supautils_before on ddl_command_start
  when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'DROP TRIGGER')
  execute function supautils.hook();
create event trigger supautils_after on ddl_command_end when tag in ('DROP TRIGGER')
  execute function supautils.hook();
