-- The accounts, which the application's sign-in brings along: the planner refers to their id alone.
-- A table of users with an integer id that is there already is left as it is. It has to take a row of
-- name and email, as the checks of the later migrations write; users of another key are refused.
-- unless: 'integer'::regtype = (
-- unless:   select atttypid
-- unless:   from pg_catalog.pg_attribute
-- unless:   where attrelid = to_regclass('public.users') and attname = 'id'
-- unless: )

create table public.users (
  id serial not null,
  name text not null,
  email text not null,
  email_verified boolean not null default false,
  image text,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint users_pkey primary key (id),
  constraint users_email_unique unique (email)
);

comment on table public.users is 'Core account information, kept by the sign-in.';
