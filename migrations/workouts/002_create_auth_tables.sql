-- What signing in needs: links by mail, resets of passwords, sign-in sessions and invite codes. The
-- foreign keys lock users against writes for a moment.
--
-- The indexes of `sessions` are named idx_auth_sessions_…: the design gives their names a second
-- time, to workout_sessions, and an index has its name for itself in a schema.
-- depends: 001_create_users

create table public.magic_links (
  id uuid not null default gen_random_uuid(),
  email varchar(255) not null,
  token varchar(255) not null,
  expires_at timestamp not null,
  used_at timestamp,
  ip_address varchar(45),
  user_agent text,
  created_at timestamp not null default now(),
  constraint magic_links_pkey primary key (id),
  constraint magic_links_token_key unique (token)
);

comment on table public.magic_links is 'Sign-in links by mail; each works once, for 15 minutes.';

create index idx_magic_links_email on public.magic_links (email);
create index idx_magic_links_expires_at on public.magic_links (expires_at);

create table public.password_resets (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  token varchar(255) not null,
  expires_at timestamp not null,
  used_at timestamp,
  created_at timestamp not null default now(),
  constraint password_resets_pkey primary key (id),
  constraint password_resets_token_key unique (token),
  constraint password_resets_user_id_fkey
    foreign key (user_id) references public.users (id) on delete cascade
);

comment on table public.password_resets is 'Resets by mail; each works once, for an hour.';

create index idx_password_resets_user_id on public.password_resets (user_id);
create index idx_password_resets_expires_at on public.password_resets (expires_at);

create table public.sessions (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  token varchar(255) not null,
  expires_at timestamp not null,
  ip_address varchar(45),
  user_agent text,
  created_at timestamp not null default now(),
  last_activity_at timestamp not null default now(),
  constraint sessions_pkey primary key (id),
  constraint sessions_token_key unique (token),
  constraint sessions_user_id_fkey
    foreign key (user_id) references public.users (id) on delete cascade
);

comment on table public.sessions is 'Who is signed in where. Workouts are in workout_sessions.';

create index idx_auth_sessions_user_id on public.sessions (user_id);
create index idx_auth_sessions_expires_at on public.sessions (expires_at);

create table public.invites (
  id uuid not null default gen_random_uuid(),
  code varchar(20) not null,
  created_by uuid not null,
  used_by uuid,
  expires_at timestamp,
  used_at timestamp,
  max_uses integer,
  current_uses integer not null default 0,
  created_at timestamp not null default now(),
  constraint invites_pkey primary key (id),
  constraint invites_code_key unique (code),
  constraint invites_max_uses_check check (max_uses > 0),
  constraint invites_current_uses_check check (current_uses >= 0),
  constraint invites_created_by_fkey
    foreign key (created_by) references public.users (id) on delete cascade,
  constraint invites_used_by_fkey
    foreign key (used_by) references public.users (id) on delete set null
);

comment on table public.invites is 'Codes that let somebody join.';
comment on column public.invites.max_uses is 'Empty is any number of times.';

create index idx_invites_created_by on public.invites (created_by);
create index idx_invites_used_by on public.invites (used_by);
create index idx_invites_expires_at on public.invites (expires_at);
