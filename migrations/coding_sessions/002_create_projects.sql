-- What a user builds. Its sessions, their jobs and their events go with it when it is deleted; the
-- application archives or marks a project as deleted by its status instead.
-- depends: 001_create_profiles

create table public.projects (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  name text not null,
  description text,
  template_id text,
  expo_config jsonb,
  sandbox_id text,
  status text not null default 'active',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint projects_pkey primary key (id),
  constraint projects_user_id_fkey
    foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint projects_status_check check (status in ('active', 'archived', 'deleted'))
);

comment on table public.projects is
  'What a user builds; archived and deleted are states of the row, not its absence.';
comment on column public.projects.template_id is
  'For templates to come; refers to nothing yet.';
comment on column public.projects.sandbox_id is
  'The machine at Fly.io that runs the project.';

alter table public.projects enable row level security;

-- stamp: owner_policies(table="projects", owner="user_id",
--   commands=["select", "insert", "update", "delete"],
--   names={"select": "Users can view own projects", "insert": "Users can create projects",
--   "update": "Users can update own projects", "delete": "Users can delete own projects"})
-- stamped: owner_policies sha256:47c9d1ace87a994b  (edit the stamp line or the template, then run pgvouch stamp)
create policy "Users can view own projects"
  on public.projects
  for select
  to authenticated
  using (user_id = (select auth.uid()));

create policy "Users can create projects"
  on public.projects
  for insert
  to authenticated
  with check (user_id = (select auth.uid()));

create policy "Users can update own projects"
  on public.projects
  for update
  to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));

create policy "Users can delete own projects"
  on public.projects
  for delete
  to authenticated
  using (user_id = (select auth.uid()));
-- end stamp

create index projects_user_id_idx on public.projects (user_id);
create index projects_status_idx on public.projects (status);
create index projects_created_at_idx on public.projects (created_at desc);

-- stamp: updated_at_trigger(table="projects")
-- stamped: updated_at_trigger sha256:729a09e03131d571  (edit the stamp line or the template, then run pgvouch stamp)
create trigger projects_updated_at
  before update on public.projects
  for each row
  execute function public.update_updated_at();
-- end stamp

-- Row security is about rows: the policies alone would let users name any machine as the one that runs
-- their project, date it back, and choose ids. A project begins as active.
-- stamp: grants(table="projects",
--   to={"authenticated": ["select", "delete"],
--   "service_role": ["select", "insert", "update", "delete"]},
--   columns={"authenticated": {
--   "insert": ["user_id", "name", "description", "template_id", "expo_config"],
--   "update": ["name", "description", "template_id", "expo_config", "status"]}})
-- stamped: grants sha256:f51699f689937370  (edit the stamp line or the template, then run pgvouch stamp)
-- Default privileges may have opened the table already: start from nothing.
revoke all on table public.projects
  from public, anon, authenticated, service_role;
grant select, delete on table public.projects to authenticated;
grant select, insert, update, delete on table public.projects to service_role;
grant insert (user_id, name, description, template_id, expo_config) on table public.projects to authenticated;
grant update (name, description, template_id, expo_config, status) on table public.projects to authenticated;
-- end stamp
