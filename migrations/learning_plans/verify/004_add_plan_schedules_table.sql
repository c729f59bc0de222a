-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: anns_second = '5afe0000-0000-4000-8000-0000000000a2'
-- let: bobs_public = '5afe0000-0000-4000-8000-0000000000b1'
-- let: bobs_second = '5afe0000-0000-4000-8000-0000000000b2'
-- let: no_plan = '5afe0000-0000-4000-8000-0000000000c1'

-- Ann has a plan with a schedule and a second one without. Bob has a public plan with a schedule and
-- one without.
insert into public.users (id, clerk_user_id, email)
values (:'ann', 'user_verify_ann', 'ann@verify.invalid'), (:'bob', 'user_verify_bob', 'bob@verify.invalid');
insert into public.learning_plans (id, user_id, topic, skill_level, weekly_hours, learning_style, visibility)
values
  (:'anns_plan', :'ann', 'Ann''s plan', 'beginner', 10, 'mixed', 'private'),
  (:'anns_second', :'ann', 'Ann''s second plan', 'beginner', 10, 'mixed', 'private'),
  (:'bobs_public', :'bob', 'Bob''s public plan', 'advanced', 5, 'video', 'public'),
  (:'bobs_second', :'bob', 'Bob''s second plan', 'advanced', 5, 'video', 'private');
insert into public.plan_schedules
  (plan_id, schedule_json, inputs_hash, generated_at, timezone, weekly_hours, start_date)
values
  (
    :'anns_plan', '{"weeks": [], "totalWeeks": 0, "totalSessions": 0}', 'verify-ann', '2000-01-01 00:00:00+00',
    'UTC', 10, '2025-02-03'
  ),
  (
    :'bobs_public', '{"weeks": [], "totalWeeks": 0, "totalSessions": 0}', 'verify-bob', '2000-01-01 00:00:00+00',
    'UTC', 5, '2025-02-03'
  );

-- check as ann: the owner of a plan stores its schedule, and the time of it is now
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (
  :'anns_second', '{"weeks": [{"weekNumber": 1}], "totalWeeks": 1, "totalSessions": 0}', 'verify-second',
  'America/New_York', 10, '2025-02-03'
);
select to_jsonb(schedule) = jsonb_build_object(
  'plan_id', :'anns_second',
  'schedule_json', '{"weeks": [{"weekNumber": 1}], "totalWeeks": 1, "totalSessions": 0}'::jsonb,
  'inputs_hash', 'verify-second', 'generated_at', now(), 'timezone', 'America/New_York', 'weekly_hours', 10,
  'start_date', '2025-02-03', 'deadline', null
)
from public.plan_schedules as schedule where plan_id = :'anns_second';

-- check as ann: the owner's upsert replaces the schedule, again and again, and one row remains
insert into public.plan_schedules as schedule
  (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date, deadline)
values (:'anns_plan', '{}', 'verify-2', 'UTC', 8, '2025-02-10', '2025-06-01')
on conflict (plan_id) do update
set
  schedule_json = excluded.schedule_json,
  inputs_hash = excluded.inputs_hash,
  generated_at = now(),
  timezone = excluded.timezone,
  weekly_hours = excluded.weekly_hours,
  start_date = excluded.start_date,
  deadline = excluded.deadline;
insert into public.plan_schedules as schedule
  (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date, deadline)
values (:'anns_plan', '[]', 'verify-3', 'Etc/UTC', 6, '2025-02-17', null)
on conflict (plan_id) do update
set
  schedule_json = excluded.schedule_json,
  inputs_hash = excluded.inputs_hash,
  generated_at = now(),
  timezone = excluded.timezone,
  weekly_hours = excluded.weekly_hours,
  start_date = excluded.start_date,
  deadline = excluded.deadline;
select count(*) = 1 and bool_and(
  to_jsonb(schedule) = jsonb_build_object(
    'plan_id', :'anns_plan', 'schedule_json', '[]'::jsonb, 'inputs_hash', 'verify-3', 'generated_at', now(),
    'timezone', 'Etc/UTC', 'weekly_hours', 6, 'start_date', '2025-02-17', 'deadline', null
  )
)
from public.plan_schedules as schedule;

-- check as ann: the owner's upsert stores a first schedule just as well
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (:'anns_second', '{}', 'verify-2', 'UTC', 8, '2025-02-10')
on conflict (plan_id) do update set schedule_json = excluded.schedule_json, inputs_hash = excluded.inputs_hash;
select array_agg(inputs_hash order by plan_id) = array['verify-ann', 'verify-2'] from public.plan_schedules;

-- check error 42501 as ann: a user upserts over somebody else's schedule, though the plan is public
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (:'bobs_public', '{}', 'verify-2', 'UTC', 8, '2025-02-10')
on conflict (plan_id) do update set schedule_json = excluded.schedule_json, inputs_hash = excluded.inputs_hash;

-- check error 42501 as ann: a user upserts the first schedule of somebody else's plan
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (:'bobs_second', '{}', 'verify-2', 'UTC', 8, '2025-02-10')
on conflict (plan_id) do update set schedule_json = excluded.schedule_json, inputs_hash = excluded.inputs_hash;

-- check error 42501 as ann: a user stores the schedule of somebody else's plan
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (:'bobs_second', '{}', 'verify-2', 'UTC', 8, '2025-02-10');

-- check error 42501 as ann: a user stores the schedule of a plan that is not there, and learns no more
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (:'no_plan', '{}', 'verify-2', 'UTC', 8, '2025-02-10');

-- check error 42501 as ann: a token without a subject stores a schedule
select set_config('request.jwt.claims', '{"role": "authenticated"}', true);
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (:'anns_second', '{}', 'verify-2', 'UTC', 8, '2025-02-10');

-- check as ann: a user sees the schedules of their own plans and no other, public plan or not
select array_agg(plan_id) = array[:'anns_plan']::uuid[] from public.plan_schedules;

-- Without a where clause only the policy of the command stands between the caller and other
-- people's rows: a condition would read columns, and reading brings in the select policy. Should a
-- policy be broken on a large live table, the timeout ends the statement early, which fails too.
-- check as ann: a user who changes every schedule within reach changes their own only
set local statement_timeout = '5s';
update public.plan_schedules set inputs_hash = 'verify-mine';
reset role;
select array_agg(inputs_hash order by plan_id) = array['verify-mine', 'verify-bob']
from public.plan_schedules where plan_id in (:'anns_plan', :'bobs_public');

-- check error 42501 as ann: a user moves a schedule to somebody else's plan
set local statement_timeout = '5s';
update public.plan_schedules set plan_id = :'bobs_second';

-- check as ann: a user moves a schedule to another plan of theirs
set local statement_timeout = '5s';
update public.plan_schedules set plan_id = :'anns_second';
select array_agg(plan_id) = array[:'anns_second']::uuid[] from public.plan_schedules;

-- check as ann: a user who deletes every schedule within reach deletes their own only
set local statement_timeout = '5s';
delete from public.plan_schedules;
reset role;
select array_agg(plan_id) = array[:'bobs_public']::uuid[]
from public.plan_schedules where plan_id in (:'anns_plan', :'bobs_public');

-- A person is there whose Clerk id is what the token would be read as.
-- check: a token whose subject is no text sees and changes no schedule
update public.users set clerk_user_id = 'true' where id = :'ann';
-- as: ann
select set_config('request.jwt.claims', '{"sub": true, "role": "authenticated"}', true);
set local statement_timeout = '5s';
update public.plan_schedules set timezone = 'Nobody''s';
delete from public.plan_schedules;
reset role;
select array_agg(timezone order by plan_id) = array['UTC', 'UTC']
from public.plan_schedules where plan_id in (:'anns_plan', :'bobs_public');

-- check error 42501: a token whose subject is no text stores a schedule
update public.users set clerk_user_id = 'true' where id = :'ann';
-- as: ann
select set_config('request.jwt.claims', '{"sub": true, "role": "authenticated"}', true);
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (:'anns_second', '{}', 'verify', 'UTC', 10, '2025-02-03');

-- check as ann: a token without a subject sees no schedule
select set_config('request.jwt.claims', '{"role": "authenticated"}', true);
select count(*) = 0 from public.plan_schedules;

-- check: a plan that changes hands takes its schedule along
update public.learning_plans set user_id = :'bob' where id = :'anns_plan';
-- as: ann
select count(*) = 0 from public.plan_schedules;

-- check error 42501 as visitor: a visitor reads schedules, though a plan is public
select plan_id from public.plan_schedules;

-- check error 42501 as visitor: a visitor stores a schedule
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (:'anns_second', '{}', 'verify-2', 'UTC', 8, '2025-02-10');

-- check error 42501 as visitor: a visitor changes schedules
update public.plan_schedules set inputs_hash = 'verify-mine';

-- check error 42501 as visitor: a visitor deletes schedules
delete from public.plan_schedules;

-- check as service: service_role sees and changes every schedule
update public.plan_schedules set timezone = 'Etc/UTC' where plan_id in (:'anns_plan', :'bobs_public');
select count(*) = 2
from public.plan_schedules where plan_id in (:'anns_plan', :'bobs_public') and timezone = 'Etc/UTC';

-- check as service: service_role upserts and deletes the schedules of anyone
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values
  (:'bobs_public', '{}', 'verify-2', 'UTC', 8, '2025-02-10'),
  (:'bobs_second', '{}', 'verify-2', 'UTC', 8, '2025-02-10')
on conflict (plan_id) do update set schedule_json = excluded.schedule_json, inputs_hash = excluded.inputs_hash;
delete from public.plan_schedules where plan_id = :'anns_plan';
select array_agg(plan_id order by plan_id) = array[ :'bobs_public', :'bobs_second'
]::uuid[] from public.plan_schedules where plan_id in (:'anns_plan', :'bobs_public', :'bobs_second');

-- check: a plan that is deleted takes its schedule along, and no other's
delete from public.learning_plans where id = :'anns_plan';
select array_agg(plan_id) = array[:'bobs_public']::uuid[]
from public.plan_schedules where plan_id in (:'anns_plan', :'bobs_public');

-- check as ann: a plan that its owner deletes takes its schedule along
delete from public.learning_plans where id = :'anns_plan';
reset role;
select array_agg(plan_id) = array[:'bobs_public']::uuid[]
from public.plan_schedules where plan_id in (:'anns_plan', :'bobs_public');

-- check: a person who is deleted leaves nothing behind, down to the schedule
delete from public.users where id = :'ann';
select array_agg(plan_id) = array[:'bobs_public']::uuid[]
from public.plan_schedules where plan_id in (:'anns_plan', :'bobs_public');

-- check: a schedule that is deleted leaves its plan alone
delete from public.plan_schedules where plan_id = :'anns_plan';
select count(*) = 1 from public.learning_plans where id = :'anns_plan';

-- check error 23505: a plan with two schedules
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (:'anns_plan', '{}', 'verify-2', 'UTC', 8, '2025-02-10');

-- check error 23503: the schedule of no plan
insert into public.plan_schedules (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values (:'no_plan', '{}', 'verify-2', 'UTC', 8, '2025-02-10');

-- check error 23502: a schedule without a plan
insert into public.plan_schedules (schedule_json, inputs_hash, timezone, weekly_hours, start_date)
values ('{}', 'verify-2', 'UTC', 8, '2025-02-10');

-- check: two plans may have schedules of the same inputs
update public.plan_schedules set inputs_hash = 'verify-same' where plan_id in (:'anns_plan', :'bobs_public');
select count(*) = 2 from public.plan_schedules where inputs_hash = 'verify-same';

-- check: these columns may be empty, and no other
select array_agg(found.columns order by found.columns collate "C") = array[
  'learning_plans: deadline_date finalized_at start_date',
  'plan_schedules: deadline',
  'users: name subscription_tier'
]
from (
  select c.relname || ':' || coalesce(
    string_agg(' ' || a.attname, '' order by a.attname collate "C") filter (where not a.attnotnull), ''
  )
  from pg_catalog.pg_class as c
  join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace
    and c.relname in ('learning_plans', 'plan_schedules', 'users')
  group by c.relname
) as found (columns);

-- stamp: owner_via_policies(table="plan_schedules",
--   via=[{"table": "learning_plans", "key": "id", "column": "plan_id"},
--   {"table": "users", "key": "id", "column": "user_id", "owner": "clerk_user_id"}],
--   commands=["select", "insert", "update", "delete"],
--   caller="(select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')")
-- stamped: owner_via_policies sha256:6b8d5dcd475bc406  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.plan_schedules has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'plan_schedules');

-- check: select, insert, update and delete on public.plan_schedules by authenticated: exactly the stamped policies
create temporary table plan_schedules (like public.plan_schedules);

-- Another role than the migrating one makes them, where there is one that can. On Supabase every policy that `postgres` makes,
-- on a temporary table too, locks the tables of auth, storage and realtime until the transaction ends.
create function pg_temp.hand_over(copy pg_catalog.text, wanted pg_catalog.text, named pg_catalog.text[])
returns pg_catalog.void language plpgsql as $$
declare
  path pg_catalog.text := pg_catalog.current_setting('search_path');
  -- "$user" in it is the migrating role: what it stands for is kept.
  schemas pg_catalog.name[] := pg_catalog.current_schemas(false);
  maker pg_catalog.name;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  select r.rolname into maker
  from pg_roles as r
  cross join (values (case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end)) as may (become)
  where r.rolname in (wanted, 'authenticated', 'service_role', 'anon') and r.rolname <> current_user
    and pg_has_role(session_user, r.oid, may.become) and pg_has_role(current_user, r.oid, may.become)
    and has_database_privilege(r.oid, current_database(), 'temporary')
    and not exists (
      select from pg_namespace as n
      where (n.nspname = any (named) or n.nspname = any (schemas)) and not has_schema_privilege(r.oid, n.oid, 'usage')
    )
  order by r.rolname = wanted desc, r.rolname
  limit 1;
  if maker is not null then
    execute format('alter table pg_temp.%I owner to %I', copy, maker);
    perform set_config('role', maker, true);
    path := (select string_agg(quote_ident(s.name), ', ' order by s.place) from unnest(schemas) with ordinality as s (name, place));
  end if;
  perform set_config('search_path', coalesce(path, ''), true);
end
$$;
select pg_temp.hand_over('plan_schedules', 'authenticated', array['auth', 'public']::pg_catalog.text[]);

create policy plan_schedules_select_own
  on pg_temp.plan_schedules
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
  on pg_temp.plan_schedules
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
  on pg_temp.plan_schedules
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
  on pg_temp.plan_schedules
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

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;
with expected as (
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'plan_schedules'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'plan_schedules')
    and (
      p.policyname in (select e.policyname from expected as e)
      or lower(p.cmd) in ('all', 'select', 'insert', 'update', 'delete') and exists (
        select from unnest(p.roles) as granted (name) left join pg_roles as g on g.rolname = granted.name
        where granted.name = 'public' or exists (
          select from pg_roles as r where r.rolname in ('authenticated', 'anon') and pg_has_role(r.oid, g.oid, 'usage')
        )
      )
    )
)
select
  (e.permissive, e.roles, e.cmd, e.qual, e.with_check)
    is not distinct from (f.permissive, f.roles, f.cmd, f.qual, f.with_check) as as_stamped,
  coalesce(e.policyname, f.policyname) as policy,
  case
    when f.policyname is null then 'missing'
    when e.policyname is null then 'opens the same command'
    else concat_ws(
      ', ',
      case when f.permissive <> e.permissive then lower(f.permissive) end, case when f.cmd <> e.cmd then 'for ' || lower(f.cmd) end,
      case when f.roles <> e.roles then 'to ' || array_to_string(f.roles, ', ') end,
      case when f.qual is distinct from e.qual then 'using ' || coalesce(f.qual, 'nothing') end,
      case when f.with_check is distinct from e.with_check then 'with check ' || coalesce(f.with_check, 'nothing') end
    )
  end as difference
from expected as e full join found as f using (policyname)
order by as_stamped, policy;

-- check: an index begins with every column that the policies of public.plan_schedules read
set local search_path = pg_catalog, pg_temp;
select exists (
  select from pg_index as i
  join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  join pg_class as c on c.oid = i.indrelid join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname, a.attname) = (r.schema_name, r.table_name, r.column_name) and i.indisvalid and i.indpred is null
) as indexed, r.*
from (
  values
    ('public', 'plan_schedules', 'plan_id'),
    ('public', 'learning_plans', 'id'),
    ('public', 'learning_plans', 'user_id'),
    ('public', 'users', 'id'),
    ('public', 'users', 'clerk_user_id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: service_policies(table="plan_schedules", commands=["select", "insert", "update", "delete"])
-- stamped: service_policies sha256:3587847655a17252  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.plan_schedules has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'plan_schedules');

-- check: select, insert, update and delete on public.plan_schedules by service_role: exactly the stamped policies
create temporary table plan_schedules (like public.plan_schedules);

-- Another role than the migrating one makes them, where there is one that can. On Supabase every policy that `postgres` makes,
-- on a temporary table too, locks the tables of auth, storage and realtime until the transaction ends.
create function pg_temp.hand_over(copy pg_catalog.text, wanted pg_catalog.text, named pg_catalog.text[])
returns pg_catalog.void language plpgsql as $$
declare
  path pg_catalog.text := pg_catalog.current_setting('search_path');
  -- "$user" in it is the migrating role: what it stands for is kept.
  schemas pg_catalog.name[] := pg_catalog.current_schemas(false);
  maker pg_catalog.name;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  select r.rolname into maker
  from pg_roles as r
  cross join (values (case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end)) as may (become)
  where r.rolname in (wanted, 'authenticated', 'service_role', 'anon') and r.rolname <> current_user
    and pg_has_role(session_user, r.oid, may.become) and pg_has_role(current_user, r.oid, may.become)
    and has_database_privilege(r.oid, current_database(), 'temporary')
    and not exists (
      select from pg_namespace as n
      where (n.nspname = any (named) or n.nspname = any (schemas)) and not has_schema_privilege(r.oid, n.oid, 'usage')
    )
  order by r.rolname = wanted desc, r.rolname
  limit 1;
  if maker is not null then
    execute format('alter table pg_temp.%I owner to %I', copy, maker);
    perform set_config('role', maker, true);
    path := (select string_agg(quote_ident(s.name), ', ' order by s.place) from unnest(schemas) with ordinality as s (name, place));
  end if;
  perform set_config('search_path', coalesce(path, ''), true);
end
$$;
select pg_temp.hand_over('plan_schedules', 'service_role', array[]::pg_catalog.text[]);

create policy plan_schedules_select_service
  on pg_temp.plan_schedules
  for select
  to service_role
  using (true);

create policy plan_schedules_insert_service
  on pg_temp.plan_schedules
  for insert
  to service_role
  with check (true);

create policy plan_schedules_update_service
  on pg_temp.plan_schedules
  for update
  to service_role
  using (true)
  with check (true);

create policy plan_schedules_delete_service
  on pg_temp.plan_schedules
  for delete
  to service_role
  using (true);

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;
with expected as (
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'plan_schedules'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'plan_schedules')
    and (
      p.policyname in (select e.policyname from expected as e)
      or lower(p.cmd) in ('all', 'select', 'insert', 'update', 'delete') and exists (
        select from unnest(p.roles) as granted (name) left join pg_roles as g on g.rolname = granted.name
        where granted.name = 'public' or exists (
          select from pg_roles as r where r.rolname in ('service_role') and pg_has_role(r.oid, g.oid, 'usage')
        )
      )
    )
)
select
  (e.permissive, e.roles, e.cmd, e.qual, e.with_check)
    is not distinct from (f.permissive, f.roles, f.cmd, f.qual, f.with_check) as as_stamped,
  coalesce(e.policyname, f.policyname) as policy,
  case
    when f.policyname is null then 'missing'
    when e.policyname is null then 'opens the same command'
    else concat_ws(
      ', ',
      case when f.permissive <> e.permissive then lower(f.permissive) end, case when f.cmd <> e.cmd then 'for ' || lower(f.cmd) end,
      case when f.roles <> e.roles then 'to ' || array_to_string(f.roles, ', ') end,
      case when f.qual is distinct from e.qual then 'using ' || coalesce(f.qual, 'nothing') end,
      case when f.with_check is distinct from e.with_check then 'with check ' || coalesce(f.with_check, 'nothing') end
    )
  end as difference
from expected as e full join found as f using (policyname)
order by as_stamped, policy;
-- end stamp

-- stamp: grants(table="plan_schedules",
--   to={"authenticated": ["select", "insert", "update", "delete"],
--   "service_role": ["select", "insert", "update", "delete"]})
-- stamped: grants sha256:1532d36f37928542  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.plan_schedules exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'authenticated', '', unnest(array['select', 'insert', 'update', 'delete'])
  union all select 'service_role', '', unnest(array['select', 'insert', 'update', 'delete'])
),
target as (
  select c.* from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname) = ('public', 'plan_schedules')
),
found as (
  select
    coalesce(r.rolname, 'public')::text as grantee,
    acls.column_name,
    lower(entry.privilege_type) || case when entry.is_grantable then ' with grant option' else '' end as privilege
  from target as t
  cross join lateral (
    select '', t.relacl
    union all select a.attname::text, a.attacl from pg_attribute as a where a.attrelid = t.oid and not a.attisdropped
  ) as acls (column_name, acl)
  cross join aclexplode(acls.acl) as entry
  left join pg_roles as r on r.oid = entry.grantee
  where entry.grantee <> t.relowner
),
differences as (
  select grantee, privilege, column_name, case when f.grantee is null then 'missing' else 'not granted here' end as difference
  from stamped as s full join found as f using (grantee, column_name, privilege)
  where s.grantee is null or f.grantee is null
)
select d.grantee is null as as_granted, d.*
from target as t left join differences as d on d.grantee in ('public', 'anon', 'authenticated', 'service_role');
-- end stamp

-- stamp: malformed_callers(tables=["users", "learning_plans", "plan_schedules"],
--   actor="ann", claims={"email": "ann@verify.invalid"})
-- stamped: malformed_callers sha256:754afa5a888803c8  (edit the stamp line or the template, then run pgvouch stamp)
-- check none as ann: users, learning_plans and plan_schedules: a token that only resembles hers shows more than a stranger sees
select pg_catalog.set_config('malformed.role', pg_catalog.current_setting('role'), true);
reset role;
set local search_path = pg_catalog, pg_temp;

create temporary table asked as
  select 'public' as schema, 'request.jwt.claims' as setting, t.relation, current_setting('malformed.role') as role
  from unnest(array['users', 'learning_plans', 'plan_schedules']) as t (relation);

create temporary table tried as
with true_one (token, sub) as (
  select t.token, t.token ->> 'sub'
  from (
    select current_setting('request.jwt.claims')::jsonb || jsonb_build_object('email', 'ann@verify.invalid'::text)
  ) as t (token)
),
stranger (token) as (select jsonb_build_object('sub', gen_random_uuid())),
subject (sub) as (
  -- The caller's subject, but for a letter, a blank, its case; and texts that a pattern would take for it.
  select to_jsonb(made.sub)
  from true_one as o cross join unnest(array[
    '', ' ', E'\t', '%', '_', '.*', 'null', 'true', '{}', '0',
    concat(o.sub, ' '), concat(' ', o.sub), concat(o.sub, E'\n'), concat(o.sub, 'x'), left(o.sub, -1), concat(left(o.sub, 3), '%'),
    upper(o.sub), lower(o.sub), initcap(o.sub), concat('"', o.sub, '"'), concat('0', o.sub)
  ]) as made (sub)
  -- A uuid is the same in capitals.
  where made.sub <> o.sub and (upper(made.sub) <> upper(o.sub) or o.sub !~ '^[0-9a-f-]{36}$')
  union all
  -- As a part of it, which is hers where the rest is cut off; and with what a pattern would strip inside of it.
  select to_jsonb(made.sub)
  from true_one as o cross join unnest(array['|', ',', ';', ':', '/', '.', '@', '#', '-', '_', '*']) as mark (sign)
  cross join unnest(array[
    concat(o.sub, mark.sign, 'x'), concat('x', mark.sign, o.sub), concat(left(o.sub, 1), mark.sign, substr(o.sub, 2))
  ]) as made (sub)
  -- Hyphens and braces of a uuid mean nothing.
  where o.sub !~ '^[0-9a-f-]{36}$' or mark.sign <> '-'
  union all select jsonb_array_elements('[null, true, 0, [], {}]')
  union all select jsonb_build_array(o.sub) from true_one as o
  union all select jsonb_build_object('sub', o.sub) from true_one as o
  -- What else the token says of her is no subject.
  union all select claim.value from true_one as o cross join jsonb_each(o.token) as claim where claim.key <> 'sub'
)
select 1 as turn, o.token::text as token from true_one as o
union all select 2, s.token::text from stranger as s
union all select 3, unnest(array[null, '', '{}', 'null', '[]', '""'])
-- All else is as hers: her address, her name.
union all select 3, (o.token || jsonb_build_object('sub', s.sub))::text from true_one as o cross join subject as s
union all select 3, (o.token || s.token)::text from true_one as o cross join stranger as s
union all
select 3, made.token::text
from true_one as o cross join stranger as s cross join unnest(array[
  o.token - 'sub',
  (o.token - 'sub') || jsonb_build_object('id', o.sub, 'SUB', o.sub, 'user_id', o.sub),
  -- Her subject as a name or an address, which anybody may choose.
  (select jsonb_object_agg(claim.key, o.sub) from jsonb_each(o.token - 'sub') as claim),
  s.token || (select jsonb_object_agg(claim.key, o.sub) from jsonb_each(o.token - 'sub') as claim),
  s.token || jsonb_build_object('user_metadata', o.token, 'app_metadata', o.token),
  s.token || '{"role": "service_role", "is_admin": true}'
]) as made (token);

create temporary table shown (relation text, what text, token text);
do $shown$
declare
  one record;
  -- Rows are known by their place, which is found at once among any number of public ones.
  seen tid[];
  hers tid[];
  number bigint;
begin
  for one in select * from pg_temp.asked cross join pg_temp.tried order by relation, turn loop
    perform set_config(one.setting, one.token, true);
    begin
      perform set_config('role', one.role, true);
      if one.turn = 3 then
        execute format('select count(*) from %I.%I where ctid = any ($1)', one.schema, one.relation) into number using hers;
      else
        execute format('select array(select ctid from %I.%I)', one.schema, one.relation) into seen;
      end if;
      reset role;
    -- To refuse the token is as good: a subject that is no uuid, a text that is no token.
    exception when data_exception then
      number := 0;
      seen := '{}';
    end;
    case one.turn
      when 1 then
        hers := seen;
      when 2 then
        hers := array(select unnest(hers) except select unnest(seen));
        if hers = '{}' then
          insert into pg_temp.shown
          values (one.relation, 'the caller has no row that a stranger does not see, so nothing was tried', null);
        end if;
      else
        if number > 0 then
          insert into pg_temp.shown values (one.relation, format('shows %s of her rows', number), one.token);
        end if;
    end case;
  end loop;
end
$shown$;
select * from pg_temp.shown order by relation, token;
-- end stamp
