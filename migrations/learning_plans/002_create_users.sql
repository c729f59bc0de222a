-- The people of the application. Clerk signs them in and knows them by a text such as `user_2x…`;
-- everything else refers to the uuid.
-- depends: 001_create_enums

create table public.users (
  id uuid not null default gen_random_uuid(),
  clerk_user_id text not null,
  email text not null,
  name text,
  subscription_tier text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint users_pkey primary key (id),
  constraint users_clerk_user_id_unique unique (clerk_user_id),
  constraint users_email_unique unique (email),
  -- What a subject may be by OpenID Connect. With the blank and the empty one out, no token that
  -- says nothing can have a row of its own; a Clerk id is `user_` and some letters and digits.
  constraint users_clerk_user_id_check
    check (clerk_user_id ~ '^[!-~]+$' and length(clerk_user_id) <= 255)
);

comment on table public.users is
  'One row per person, made by the application at the first sign-in or by Clerk''s webhook.';
comment on column public.users.clerk_user_id is 'The `sub` of the tokens that Clerk issues.';
comment on column public.users.subscription_tier is
  'Free text such as free or pro; only the servers of the application set it.';

-- Not forced: the owner migrates and seeds.
alter table public.users enable row level security;

-- auth.uid() is of no use here: it reads the subject as a uuid, which a Clerk id is not.
-- stamp: owner_policies(table="users", owner="clerk_user_id", commands=["select", "insert", "update"],
--   names={"update": "users_update_own_profile"},
--   caller="(select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')")
-- stamped: owner_policies sha256:0d05e9b71986fbf6  (edit the stamp line or the template, then run pgvouch stamp)
create policy users_select_own
  on public.users
  for select
  to authenticated
  using (clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$'));

create policy users_insert_own
  on public.users
  for insert
  to authenticated
  with check (clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$'));

create policy users_update_own_profile
  on public.users
  for update
  to authenticated
  using (clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$'))
  with check (clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$'));
-- end stamp

-- On Supabase service_role has BYPASSRLS and needs none of these; elsewhere it may be without.
-- stamp: service_policies(table="users", commands=["select", "insert", "update", "delete"])
-- stamped: service_policies sha256:56347413c7ad236a  (edit the stamp line or the template, then run pgvouch stamp)
create policy users_select_service
  on public.users
  for select
  to service_role
  using (true);

create policy users_insert_service
  on public.users
  for insert
  to service_role
  with check (true);

create policy users_update_service
  on public.users
  for update
  to service_role
  using (true)
  with check (true);

create policy users_delete_service
  on public.users
  for delete
  to service_role
  using (true);
-- end stamp

-- Row security is about rows: the policies alone would let people choose their own tier, and change
-- the Clerk id or the address that others are told apart by.
-- stamp: grants(table="users",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update", "delete"]},
--   columns={"authenticated": {"insert": ["clerk_user_id", "email", "name"],
--   "update": ["name", "updated_at"]}})
-- stamped: grants sha256:06966d1df426d5bd  (edit the stamp line or the template, then run pgvouch stamp)
-- Default privileges may have opened the table already: start from nothing.
revoke all on table public.users
  from public, anon, authenticated, service_role;
grant select on table public.users to authenticated;
grant select, insert, update, delete on table public.users to service_role;
grant insert (clerk_user_id, email, name) on table public.users to authenticated;
grant update (name, updated_at) on table public.users to authenticated;
-- end stamp
