-- Who may do what. The design grants everything on the schema, its tables and its sequences to
-- `authenticated`, which is everybody who has signed in to the site.
--
-- `all` on a schema lets them create objects in it, and `all` on a table lets them empty it. So they
-- get what using the tool takes, and nothing else. And since the planner now stands beside a site's
-- own users, row level security shows each of them their own plans only.
-- depends: 010_move_to_feature_planner
-- lock_timeout: 500ms

grant usage on schema feature_planner to authenticated;

-- With its owner's rights, for users have no right on the table of accounts, and need none. With an
-- empty search_path no caller can slip in another table of users. A subject that is empty, blank or no text
-- is nobody, even if the site has an account with such a Clerk id.
create function feature_planner.caller_id()
returns uuid
language sql
stable
security definer
set search_path = ''
as $$
  select id
  from public.users
  where clerk_id = auth.jwt() ->> 'sub'
    -- An empty or blank subject, a number, true, an object or an array is nobody, whatever ids the
    -- site may have given away.
    and jsonb_typeof(auth.jwt() -> 'sub') = 'string'
    and auth.jwt() ->> 'sub' ~ '^[!-~]+$'
$$;

comment on function feature_planner.caller_id() is
  'The id of the user who is signed in, by the Clerk id in the token; null for anybody else.';

revoke all on function feature_planner.caller_id() from public;
grant execute on function feature_planner.caller_id() to authenticated;

-- Not forced: the application's server connects as the owner, and goes on as before.
alter table feature_planner.feature_plans enable row level security;
alter table feature_planner.feature_refinements enable row level security;
alter table feature_planner.file_discovery_sessions enable row level security;
alter table feature_planner.discovered_files enable row level security;
alter table feature_planner.implementation_plan_generations enable row level security;
alter table feature_planner.plan_steps enable row level security;
alter table feature_planner.plan_step_templates enable row level security;
alter table feature_planner.plan_execution_logs enable row level security;

-- stamp: owner_policies(table="feature_plans", schema="feature_planner", owner="user_id", commands=["all"],
--   caller="feature_planner.caller_id()")
-- stamped: owner_policies sha256:3379404d4f5991d6  (edit the stamp line or the template, then run pgvouch stamp)
create policy feature_plans_own
  on feature_planner.feature_plans
  for all
  to authenticated
  using (user_id = (select feature_planner.caller_id()))
  with check (user_id = (select feature_planner.caller_id()));
-- end stamp

-- What hangs on a plan belongs to the plan's owner.
-- stamp: owner_via_policies(table="feature_refinements", schema="feature_planner", commands=["all"],
--   via=[{"table": "feature_plans", "schema": "feature_planner", "column": "plan_id", "owner": "user_id"}],
--   caller="feature_planner.caller_id()")
-- stamped: owner_via_policies sha256:2feda3b3bf5c1bda  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy feature_refinements_own
  on feature_planner.feature_refinements
  for all
  to authenticated
  using (
    plan_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent
      where parent.user_id = (select feature_planner.caller_id())
    ))
  )
  with check (
    plan_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent
      where parent.user_id = (select feature_planner.caller_id())
    ))
  );
-- end stamp

-- stamp: owner_via_policies(table="file_discovery_sessions", schema="feature_planner", commands=["all"],
--   via=[{"table": "feature_plans", "schema": "feature_planner", "column": "plan_id", "owner": "user_id"}],
--   caller="feature_planner.caller_id()")
-- stamped: owner_via_policies sha256:997a35f187579649  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy file_discovery_sessions_own
  on feature_planner.file_discovery_sessions
  for all
  to authenticated
  using (
    plan_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent
      where parent.user_id = (select feature_planner.caller_id())
    ))
  )
  with check (
    plan_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent
      where parent.user_id = (select feature_planner.caller_id())
    ))
  );
-- end stamp

-- stamp: owner_via_policies(table="discovered_files", schema="feature_planner", commands=["all"],
--   via=[{"table": "file_discovery_sessions", "schema": "feature_planner", "column": "discovery_session_id"},
--     {"table": "feature_plans", "schema": "feature_planner", "column": "plan_id", "owner": "user_id"}],
--   caller="feature_planner.caller_id()")
-- stamped: owner_via_policies sha256:83f1a097d7259bc5  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy discovered_files_own
  on feature_planner.discovered_files
  for all
  to authenticated
  using (
    discovery_session_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent2
      join feature_planner.file_discovery_sessions as parent
        on parent.plan_id = parent2.id
      where parent2.user_id = (select feature_planner.caller_id())
    ))
  )
  with check (
    discovery_session_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent2
      join feature_planner.file_discovery_sessions as parent
        on parent.plan_id = parent2.id
      where parent2.user_id = (select feature_planner.caller_id())
    ))
  );
-- end stamp

-- A user whom a file names cannot be deleted: nobody may name another. And whether a name is taken
-- can be seen by nobody: the answer is the same for an id that is in use and for one that is not.
create policy discovered_files_added_by_caller
  on feature_planner.discovered_files
  as restrictive
  for insert
  to authenticated
  with check (
    added_by_user_id is null
    or added_by_user_id = (select feature_planner.caller_id())
  );

-- stamp: owner_via_policies(table="implementation_plan_generations", schema="feature_planner", commands=["all"],
--   via=[{"table": "feature_plans", "schema": "feature_planner", "column": "plan_id", "owner": "user_id"}],
--   caller="feature_planner.caller_id()")
-- stamped: owner_via_policies sha256:da0407906847b355  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy implementation_plan_generations_own
  on feature_planner.implementation_plan_generations
  for all
  to authenticated
  using (
    plan_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent
      where parent.user_id = (select feature_planner.caller_id())
    ))
  )
  with check (
    plan_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent
      where parent.user_id = (select feature_planner.caller_id())
    ))
  );
-- end stamp

-- stamp: owner_via_policies(table="plan_steps", schema="feature_planner", commands=["all"],
--   via=[{"table": "implementation_plan_generations", "schema": "feature_planner", "column": "plan_generation_id"},
--     {"table": "feature_plans", "schema": "feature_planner", "column": "plan_id", "owner": "user_id"}],
--   caller="feature_planner.caller_id()")
-- stamped: owner_via_policies sha256:d41684b9ad2abe72  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy plan_steps_own
  on feature_planner.plan_steps
  for all
  to authenticated
  using (
    plan_generation_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent2
      join feature_planner.implementation_plan_generations as parent
        on parent.plan_id = parent2.id
      where parent2.user_id = (select feature_planner.caller_id())
    ))
  )
  with check (
    plan_generation_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent2
      join feature_planner.implementation_plan_generations as parent
        on parent.plan_id = parent2.id
      where parent2.user_id = (select feature_planner.caller_id())
    ))
  );
-- end stamp

-- stamp: owner_policies(table="plan_step_templates", schema="feature_planner", owner="user_id", commands=["all"],
--   caller="feature_planner.caller_id()")
-- stamped: owner_policies sha256:517c2a5b711e7df2  (edit the stamp line or the template, then run pgvouch stamp)
create policy plan_step_templates_own
  on feature_planner.plan_step_templates
  for all
  to authenticated
  using (user_id = (select feature_planner.caller_id()))
  with check (user_id = (select feature_planner.caller_id()));
-- end stamp

-- A library that others may read.
create policy plan_step_templates_public
  on feature_planner.plan_step_templates
  for select
  to authenticated
  using (is_public);

-- stamp: owner_via_policies(table="plan_execution_logs", schema="feature_planner", commands=["all"],
--   via=[{"table": "feature_plans", "schema": "feature_planner", "column": "plan_id", "owner": "user_id"}],
--   caller="feature_planner.caller_id()")
-- stamped: owner_via_policies sha256:09bf1e3f839bc640  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy plan_execution_logs_own
  on feature_planner.plan_execution_logs
  for all
  to authenticated
  using (
    plan_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent
      where parent.user_id = (select feature_planner.caller_id())
    ))
  )
  with check (
    plan_id = any (array(
      select parent.id
      from feature_planner.feature_plans as parent
      where parent.user_id = (select feature_planner.caller_id())
    ))
  );
-- end stamp

grant select, insert, update, delete
  on table
    feature_planner.feature_plans,
    feature_planner.feature_refinements,
    feature_planner.file_discovery_sessions,
    feature_planner.implementation_plan_generations,
    feature_planner.plan_steps,
    feature_planner.plan_step_templates,
    feature_planner.plan_execution_logs
  to authenticated;

-- Who added a file does not change. The server may still clear it, ahead of a user's deletion.
grant select, insert, delete on table feature_planner.discovered_files to authenticated;
grant update (
    id,
    discovery_session_id,
    file_path,
    file_type,
    file_exists,
    priority,
    relevance_score,
    role,
    description,
    reasoning,
    integration_point,
    lines_of_code,
    is_manually_added,
    is_selected,
    created_at
  )
  on table feature_planner.discovered_files
  to authenticated;

-- A grant on all tables reaches those that are there. These are for the ones to come, made by the
-- role that migrates; row level security each of them has to switch on for itself.
alter default privileges in schema feature_planner
  grant select, insert, update, delete on tables to authenticated;

-- Whoever inserts into a table with a serial column takes a number.
alter default privileges in schema feature_planner
  grant usage on sequences to authenticated;
