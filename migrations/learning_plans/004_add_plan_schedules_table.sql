-- A plan's schedule, week by week, as it was last computed. The row is worth as much as its
-- inputs_hash: where that is not the hash of the plan as it is now, the schedule is computed anew.
-- depends: 003_create_learning_plans

create table public.plan_schedules (
  -- Identity and the rule of one row per plan in one; the caller supplies it.
  plan_id uuid not null,
  schedule_json jsonb not null,
  inputs_hash text not null,
  generated_at timestamptz not null default now(),
  timezone text not null,
  weekly_hours integer not null,
  start_date date not null,
  deadline date,
  constraint plan_schedules_pkey primary key (plan_id),
  constraint plan_schedules_plan_id_learning_plans_id_fk
    foreign key (plan_id) references public.learning_plans (id) on delete cascade
);

comment on table public.plan_schedules is
  'JSON cache of computed schedules, one row per plan; it may be deleted at any time.';
comment on column public.plan_schedules.schedule_json is
  'Weeks with their days and sessions, and the totals of both.';
comment on column public.plan_schedules.inputs_hash is
  'SHA-256 of what the schedule was computed from, in hexadecimal.';
comment on column public.plan_schedules.timezone is 'An IANA name, such as UTC.';

alter table public.plan_schedules enable row level security;

-- The plan's visibility makes no difference: the schedule of a public plan is the owner's alone.
-- stamp: owner_via_policies(table="plan_schedules",
--   via=[{"table": "learning_plans", "key": "id", "column": "plan_id"},
--   {"table": "users", "key": "id", "column": "user_id", "owner": "clerk_user_id"}],
--   commands=["select", "insert", "update", "delete"],
--   caller="(select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')")
-- stamped: owner_via_policies sha256:a6ae606aa62476a1  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy plan_schedules_select_own
  on public.plan_schedules
  for select
  to authenticated
  using (
    plan_id = any (array(
      select parent.id
      from public.users as parent2
      join public.learning_plans as parent
        on parent.user_id = parent2.id
      where parent2.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  );

create policy plan_schedules_insert_own
  on public.plan_schedules
  for insert
  to authenticated
  with check (
    plan_id = any (array(
      select parent.id
      from public.users as parent2
      join public.learning_plans as parent
        on parent.user_id = parent2.id
      where parent2.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  );

create policy plan_schedules_update_own
  on public.plan_schedules
  for update
  to authenticated
  using (
    plan_id = any (array(
      select parent.id
      from public.users as parent2
      join public.learning_plans as parent
        on parent.user_id = parent2.id
      where parent2.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  )
  with check (
    plan_id = any (array(
      select parent.id
      from public.users as parent2
      join public.learning_plans as parent
        on parent.user_id = parent2.id
      where parent2.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  );

create policy plan_schedules_delete_own
  on public.plan_schedules
  for delete
  to authenticated
  using (
    plan_id = any (array(
      select parent.id
      from public.users as parent2
      join public.learning_plans as parent
        on parent.user_id = parent2.id
      where parent2.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  );
-- end stamp

-- stamp: service_policies(table="plan_schedules", commands=["select", "insert", "update", "delete"])
-- stamped: service_policies sha256:35ec2ff15a05105c  (edit the stamp line or the template, then run pgvouch stamp)
create policy plan_schedules_select_service
  on public.plan_schedules
  for select
  to service_role
  using (true);

create policy plan_schedules_insert_service
  on public.plan_schedules
  for insert
  to service_role
  with check (true);

create policy plan_schedules_update_service
  on public.plan_schedules
  for update
  to service_role
  using (true)
  with check (true);

create policy plan_schedules_delete_service
  on public.plan_schedules
  for delete
  to service_role
  using (true);
-- end stamp

create index idx_plan_schedules_inputs_hash on public.plan_schedules (inputs_hash);

-- stamp: grants(table="plan_schedules",
--   to={"authenticated": ["select", "insert", "update", "delete"],
--   "service_role": ["select", "insert", "update", "delete"]})
-- stamped: grants sha256:4377ae2a5dafad2d  (edit the stamp line or the template, then run pgvouch stamp)
-- Default privileges may have opened the table already: start from nothing.
revoke all on table public.plan_schedules
  from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.plan_schedules to authenticated;
grant select, insert, update, delete on table public.plan_schedules to service_role;
-- end stamp
