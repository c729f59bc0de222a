-- Supabase Auth as SQL sees it: the table of accounts and the functions that tell who is asking.
-- unless: to_regclass('auth.users') is not null
-- unless: and to_regprocedure('auth.uid()') is not null
-- unless: and to_regprocedure('auth.role()') is not null
-- unless: and to_regprocedure('auth.jwt()') is not null

-- Supabase's database image brings a part of the schema, and its auth server the rest when it first
-- starts. Half a schema is nobody's to complete: neither ours, nor may the migrating role do it there.
do $auth$
begin
  if to_regnamespace('auth') is not null then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'schema auth is here, but not all of auth.users, auth.uid(), auth.role() and auth.jwt()',
      hint = 'On Supabase start the auth server first: it brings them when it starts. Anywhere else the '
        'name is taken: give that schema another one.';
  end if;
end
$auth$;

create schema auth;

-- All columns, with the types and in the order of Supabase's own table, so that a seed or a trigger
-- written for Supabase runs here unchanged. Left out are the unique indexes on the one-time tokens:
-- they serve the auth server, which does not run here.
create table auth.users (
  instance_id uuid,
  id uuid not null,
  aud varchar(255),
  role varchar(255),
  email varchar(255),
  encrypted_password varchar(255),
  email_confirmed_at timestamptz,
  invited_at timestamptz,
  confirmation_token varchar(255),
  confirmation_sent_at timestamptz,
  recovery_token varchar(255),
  recovery_sent_at timestamptz,
  email_change_token_new varchar(255),
  email_change varchar(255),
  email_change_sent_at timestamptz,
  last_sign_in_at timestamptz,
  raw_app_meta_data jsonb,
  raw_user_meta_data jsonb,
  is_super_admin boolean,
  created_at timestamptz,
  updated_at timestamptz,
  phone text,
  phone_confirmed_at timestamptz,
  phone_change text default '',
  phone_change_token varchar(255) default '',
  phone_change_sent_at timestamptz,
  confirmed_at timestamptz
    generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
  email_change_token_current varchar(255) default '',
  email_change_confirm_status smallint default 0,
  banned_until timestamptz,
  reauthentication_token varchar(255) default '',
  reauthentication_sent_at timestamptz,
  is_sso_user boolean not null default false,
  deleted_at timestamptz,
  is_anonymous boolean not null default false,
  constraint users_pkey primary key (id),
  constraint users_phone_key unique (phone),
  constraint users_email_change_confirm_status_check
    check (email_change_confirm_status between 0 and 2)
);

-- Single sign-on may bring one address through several identity providers.
create unique index users_email_partial_key on auth.users (email) where not is_sso_user;

-- As on Supabase: even a careless grant on this table shows nobody's account.
alter table auth.users enable row level security;

-- The API gateway verifies the token and passes its claims in this setting; a connection that did
-- not come through the gateway has none, or an empty one after its transaction ended.
create function auth.jwt()
returns jsonb
language sql
stable
return nullif(current_setting('request.jwt.claims', true), '')::jsonb;

create function auth.uid()
returns uuid
language sql
stable
return nullif(auth.jwt() ->> 'sub', '')::uuid;

create function auth.role()
returns text
language sql
stable
return auth.jwt() ->> 'role';

-- The API roles may ask who they are, and read no account.
revoke execute on function auth.jwt(), auth.uid(), auth.role() from public;

grant execute on function auth.jwt(), auth.uid(), auth.role()
  to anon, authenticated, service_role;

grant usage on schema auth to anon, authenticated, service_role;
