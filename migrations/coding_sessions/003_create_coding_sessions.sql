-- A stretch of work on a project. Users start sessions and change their status, servers all the rest;
-- none is deleted except together with its project or its account.
-- depends: 002_create_projects

create table public.coding_sessions (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  project_id uuid not null,
  sandbox_id text,
  status text not null default 'pending',
  initial_prompt text not null,
  eas_update_url text,
  webview_url text,
  -- Users do not choose how long their machine runs; a server may give another time than this hour.
  expires_at timestamptz not null default now() + interval '1 hour',
  started_at timestamptz,
  completed_at timestamptz,
  error_message text,
  metadata jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint coding_sessions_pkey primary key (id),
  constraint coding_sessions_user_id_fkey
    foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint coding_sessions_project_id_fkey
    foreign key (project_id) references public.projects (id) on delete cascade,
  constraint coding_sessions_status_check
    check (status in ('pending', 'active', 'paused', 'completed', 'failed', 'expired'))
);

comment on table public.coding_sessions is
  'A stretch of work on a project; past expires_at it is for the cleanup to mark as expired.';
comment on column public.coding_sessions.eas_update_url is 'Set when the preview is ready.';
comment on column public.coding_sessions.webview_url is 'Set when the preview is ready.';
comment on column public.coding_sessions.metadata is 'Statistics of the session, file counts.';

alter table public.coding_sessions enable row level security;

-- stamp: owner_policies(table="coding_sessions", owner="user_id", commands=["select"],
--   names={"select": "Users can view own sessions"})
-- stamped: owner_policies sha256:ca2afd30a195c2db  (edit the stamp line or the template, then run pgvouch stamp)
create policy "Users can view own sessions"
  on public.coding_sessions
  for select
  to authenticated
  using (user_id = (select auth.uid()));
-- end stamp

-- A foreign key does not ask whose project it is: it looks past row level security. The policies
-- ask, or anyone who knows an id could open a session on somebody else's project.
-- stamp: owner_via_policies(table="coding_sessions",
--   via=[{"table": "projects", "key": "id", "column": "project_id", "owner": "user_id"}],
--   own="user_id", commands=["insert", "update"],
--   names={"insert": "Users can create sessions", "update": "Users can update own sessions"})
-- stamped: owner_via_policies sha256:935573a51377c737  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy "Users can create sessions"
  on public.coding_sessions
  for insert
  to authenticated
  with check (
    user_id = (select auth.uid())
    and project_id = any (array(
      select parent.id
      from public.projects as parent
      where parent.user_id = (select auth.uid())
    ))
  );

create policy "Users can update own sessions"
  on public.coding_sessions
  for update
  to authenticated
  using (
    user_id = (select auth.uid())
    and project_id = any (array(
      select parent.id
      from public.projects as parent
      where parent.user_id = (select auth.uid())
    ))
  )
  with check (
    user_id = (select auth.uid())
    and project_id = any (array(
      select parent.id
      from public.projects as parent
      where parent.user_id = (select auth.uid())
    ))
  );
-- end stamp

create index coding_sessions_user_id_idx on public.coding_sessions (user_id);
create index coding_sessions_project_id_idx on public.coding_sessions (project_id);
create index coding_sessions_status_idx on public.coding_sessions (status);
create index coding_sessions_expires_at_idx on public.coding_sessions (expires_at);

-- stamp: updated_at_trigger(table="coding_sessions")
-- stamped: updated_at_trigger sha256:979f19873d82c953  (edit the stamp line or the template, then run pgvouch stamp)
create trigger coding_sessions_updated_at
  before update on public.coding_sessions
  for each row
  execute function public.update_updated_at();
-- end stamp

-- Row security is about rows: the policies alone would let users keep a machine for ever, name another
-- one, and put any address behind the preview. What they say of a session is its status.
-- stamp: grants(table="coding_sessions",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update", "delete"]},
--   columns={"authenticated": {"insert": ["user_id", "project_id", "initial_prompt"],
--   "update": ["status"]}})
-- stamped: grants sha256:a1202964fbf83557  (edit the stamp line or the template, then run pgvouch stamp)
-- Default privileges may have opened the table already: start from nothing.
revoke all on table public.coding_sessions
  from public, anon, authenticated, service_role;
grant select on table public.coding_sessions to authenticated;
grant select, insert, update, delete on table public.coding_sessions to service_role;
grant insert (user_id, project_id, initial_prompt) on table public.coding_sessions to authenticated;
grant update (status) on table public.coding_sessions to authenticated;
-- end stamp
