-- What somebody wants to learn, how, and until when. A public plan can be read by everybody; what
-- hangs on it is the owner's all the same.
-- depends: 002_create_users

create table public.learning_plans (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  topic text not null,
  skill_level public.skill_level not null,
  weekly_hours integer not null,
  learning_style public.learning_style not null,
  start_date date,
  deadline_date date,
  visibility text not null default 'private',
  origin text not null default 'ai',
  generation_status public.generation_status not null default 'generating',
  is_quota_eligible boolean not null default false,
  finalized_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint learning_plans_pkey primary key (id),
  constraint learning_plans_user_id_users_id_fk
    foreign key (user_id) references public.users (id) on delete cascade,
  constraint weekly_hours_check check (weekly_hours >= 0)
);

comment on table public.learning_plans is
  'What somebody wants to learn; read by the owner, and by everybody while it is public.';
comment on column public.learning_plans.visibility is 'private or public.';
comment on column public.learning_plans.origin is 'ai, template or manual.';

alter table public.learning_plans enable row level security;

create policy learning_plans_select_public_anon
  on public.learning_plans
  for select
  to anon
  using (visibility = 'public');

create policy learning_plans_select_public_auth
  on public.learning_plans
  for select
  to authenticated
  using (visibility = 'public');

-- stamp: owner_via_policies(table="learning_plans",
--   via=[{"table": "users", "key": "id", "column": "user_id", "owner": "clerk_user_id"}],
--   commands=["select", "insert", "update", "delete"],
--   beside=["learning_plans_select_public_anon", "learning_plans_select_public_auth"],
--   caller="(select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')")
-- stamped: owner_via_policies sha256:b9aae06d86a67431  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy learning_plans_select_own
  on public.learning_plans
  for select
  to authenticated
  using (
    user_id = any (array(
      select parent.id
      from public.users as parent
      where parent.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  );

create policy learning_plans_insert_own
  on public.learning_plans
  for insert
  to authenticated
  with check (
    user_id = any (array(
      select parent.id
      from public.users as parent
      where parent.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  );

create policy learning_plans_update_own
  on public.learning_plans
  for update
  to authenticated
  using (
    user_id = any (array(
      select parent.id
      from public.users as parent
      where parent.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  )
  with check (
    user_id = any (array(
      select parent.id
      from public.users as parent
      where parent.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  );

create policy learning_plans_delete_own
  on public.learning_plans
  for delete
  to authenticated
  using (
    user_id = any (array(
      select parent.id
      from public.users as parent
      where parent.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  );
-- end stamp

-- stamp: service_policies(table="learning_plans", commands=["select", "insert", "update", "delete"])
-- stamped: service_policies sha256:746b0870171795ce  (edit the stamp line or the template, then run pgvouch stamp)
create policy learning_plans_select_service
  on public.learning_plans
  for select
  to service_role
  using (true);

create policy learning_plans_insert_service
  on public.learning_plans
  for insert
  to service_role
  with check (true);

create policy learning_plans_update_service
  on public.learning_plans
  for update
  to service_role
  using (true)
  with check (true);

create policy learning_plans_delete_service
  on public.learning_plans
  for delete
  to service_role
  using (true);
-- end stamp

create index idx_learning_plans_user_id on public.learning_plans (user_id);
create index idx_learning_plans_user_quota
  on public.learning_plans (user_id, is_quota_eligible);
create index idx_learning_plans_user_generation_status
  on public.learning_plans (user_id, generation_status);

-- stamp: grants(table="learning_plans",
--   to={"anon": ["select"],
--   "authenticated": ["select", "insert", "update", "delete"],
--   "service_role": ["select", "insert", "update", "delete"]})
-- stamped: grants sha256:f93b031dcee43b1e  (edit the stamp line or the template, then run pgvouch stamp)
-- Default privileges may have opened the table already: start from nothing.
revoke all on table public.learning_plans
  from public, anon, authenticated, service_role;
grant select on table public.learning_plans to anon;
grant select, insert, update, delete on table public.learning_plans to authenticated;
grant select, insert, update, delete on table public.learning_plans to service_role;
-- end stamp
