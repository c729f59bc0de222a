-- The accounts. They are the site's and not the planner's: the planner refers to their id, and they
-- stay in public. A table of users with a uuid for an id that is there already is left as it is.
-- depends: 001_create_enums
-- unless: 'uuid'::regtype = (
-- unless:   select atttypid
-- unless:   from pg_catalog.pg_attribute
-- unless:   where attrelid = to_regclass('public.users') and attname = 'id'
-- unless: )

create table public.users (
  id uuid not null default gen_random_uuid(),
  clerk_id varchar(255) not null,
  email varchar(255) not null,
  username varchar(50) not null,
  display_name varchar(100) not null,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint users_pkey primary key (id),
  constraint users_clerk_id_unique unique (clerk_id),
  constraint users_email_unique unique (email),
  constraint users_username_unique unique (username)
);

comment on table public.users is 'The accounts of the site; Clerk signs them in.';
comment on column public.users.clerk_id is 'The `sub` of the tokens that Clerk issues.';

-- The platform's default privileges have opened it; it was its owner's alone.
revoke all on table public.users
  from public, anon, authenticated, service_role;
