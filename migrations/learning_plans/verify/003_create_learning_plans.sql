-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_plan = '5afe0000-0000-4000-8000-0000000000b1'
-- let: bobs_public = '5afe0000-0000-4000-8000-0000000000b2'
-- let: made = '5afe0000-0000-4000-8000-0000000000b3'

-- Ann has a private plan, Bob a private and a public one. Ann is the caller of every check that acts
-- as a user.
insert into public.users (id, clerk_user_id, email)
values (:'ann', 'user_verify_ann', 'ann@verify.invalid'), (:'bob', 'user_verify_bob', 'bob@verify.invalid');
insert into public.learning_plans (id, user_id, topic, skill_level, weekly_hours, learning_style, visibility)
values
  (:'anns_plan', :'ann', 'Ann''s plan', 'beginner', 10, 'mixed', 'private'),
  (:'bobs_plan', :'bob', 'Bob''s plan', 'advanced', 5, 'video', 'private'),
  (:'bobs_public', :'bob', 'Bob''s public plan', 'advanced', 5, 'video', 'public');

-- check as ann: a user makes a plan of their own, and what is not said is private, by AI and being generated
insert into public.learning_plans (user_id, topic, skill_level, weekly_hours, learning_style)
values (:'ann', 'A second one', 'intermediate', 0, 'reading');
select to_jsonb(plan) - 'id' = jsonb_build_object(
  'user_id', :'ann', 'topic', 'A second one', 'skill_level', 'intermediate', 'weekly_hours', 0,
  'learning_style', 'reading', 'start_date', null, 'deadline_date', null, 'visibility', 'private', 'origin', 'ai',
  'generation_status', 'generating', 'is_quota_eligible', false, 'finalized_at', null, 'created_at', now(),
  'updated_at', now()
)
from public.learning_plans as plan where topic = 'A second one';

-- check error 42501 as ann: a user makes a plan for somebody else
insert into public.learning_plans (user_id, topic, skill_level, weekly_hours, learning_style)
values (:'bob', 'A gift', 'beginner', 1, 'mixed');

-- check as ann: a user sees their own plans and what others have made public
select array_agg(id order by id) = array[ :'anns_plan', :'bobs_public'
]::uuid[] from public.learning_plans where id in (:'anns_plan', :'bobs_plan', :'bobs_public');

-- check as ann: what a user sees that is not public is their own
select array_agg(id) = array[:'anns_plan']::uuid[] from public.learning_plans where visibility <> 'public';

-- check as visitor: a visitor sees public plans
select count(*) = 1 from public.learning_plans where id = :'bobs_public';

-- check none as visitor: a plan that is not public, seen by a visitor who claims to be somebody
select id from public.learning_plans where visibility <> 'public';

-- check error 42501 as visitor: a visitor makes a plan
insert into public.learning_plans (user_id, topic, skill_level, weekly_hours, learning_style)
values (:'ann', 'From outside', 'beginner', 1, 'mixed');

-- check error 42501 as visitor: a visitor changes a public plan
update public.learning_plans set topic = 'From outside';

-- check error 42501 as visitor: a visitor deletes a public plan
delete from public.learning_plans;

-- A person is there whose Clerk id is what the token would be read as.
-- check none: a plan that a token whose subject is no text sees, unless it is public
update public.users set clerk_user_id = 'true' where id = :'ann';
-- as: ann
select set_config('request.jwt.claims', '{"sub": true, "role": "authenticated"}', true);
select id from public.learning_plans where visibility <> 'public';

-- check error 42501: a token whose subject is no text makes a plan
update public.users set clerk_user_id = 'true' where id = :'ann';
-- as: ann
select set_config('request.jwt.claims', '{"sub": true, "role": "authenticated"}', true);
insert into public.learning_plans (user_id, topic, skill_level, weekly_hours, learning_style)
values (:'ann', 'Whose?', 'intermediate', 0, 'reading');

-- check none as ann: a plan that a token without a subject sees, unless it is public
select set_config('request.jwt.claims', '{"role": "authenticated"}', true);
select id from public.learning_plans where visibility <> 'public';

-- Without a where clause only the policy of the command stands between the caller and other
-- people's rows: a condition would read columns, and reading brings in the select policy. Should a
-- policy be broken on a large live table, the timeout ends the statement early, which fails too.
-- check as ann: a user who takes over every plan within reach takes their own only, public or not
set local statement_timeout = '5s';
update public.learning_plans set user_id = :'ann', topic = 'Mine';
reset role;
select array_agg(topic order by id) = array['Mine', 'Bob''s plan', 'Bob''s public plan']
from public.learning_plans where id in (:'anns_plan', :'bobs_plan', :'bobs_public');

-- check error 42501 as ann: a user gives a plan to somebody else
set local statement_timeout = '5s';
update public.learning_plans set user_id = :'bob';

-- check as ann: a user who deletes every plan within reach deletes their own only, public or not
set local statement_timeout = '5s';
delete from public.learning_plans;
reset role;
select array_agg(id order by id) = array[ :'bobs_plan', :'bobs_public'
]::uuid[] from public.learning_plans where id in (:'anns_plan', :'bobs_plan', :'bobs_public');

-- check as service: service_role sees and changes every plan
update public.learning_plans set generation_status = 'ready', finalized_at = now(), is_quota_eligible = true
where id in (:'anns_plan', :'bobs_plan');
select count(*) = 2
from public.learning_plans where id in (:'anns_plan', :'bobs_plan') and generation_status = 'ready';

-- check as service: service_role makes and deletes plans of anyone
insert into public.learning_plans (id, user_id, topic, skill_level, weekly_hours, learning_style)
values (:'made', :'bob', 'Made by a server', 'beginner', 1, 'practice');
delete from public.learning_plans where id = :'bobs_plan';
select array_agg(id order by id) = array[ :'bobs_public', :'made'
]::uuid[] from public.learning_plans where user_id = :'bob';

-- check: a person who is deleted takes their own plans along, and no other's
delete from public.users where id = :'ann';
select array_agg(id order by id) = array[ :'bobs_plan', :'bobs_public'
]::uuid[] from public.learning_plans where user_id in (:'ann', :'bob');

-- check error 23503: a plan of nobody
insert into public.learning_plans (user_id, topic, skill_level, weekly_hours, learning_style)
values (gen_random_uuid(), 'Lost', 'beginner', 1, 'mixed');

-- check error 23514: fewer hours a week than none
update public.learning_plans set weekly_hours = -1 where id = :'anns_plan';

-- check: public plans are open for reading alone, to visitors and to users
select array_agg(format('%s %s', cmd, roles) order by policyname) = array['SELECT {anon}', 'SELECT {authenticated}']
from pg_catalog.pg_policies
where tablename = 'learning_plans' and policyname like 'learning_plans_select_public_%';

-- stamp: owner_via_policies(table="learning_plans",
--   via=[{"table": "users", "key": "id", "column": "user_id", "owner": "clerk_user_id"}],
--   commands=["select", "insert", "update", "delete"],
--   beside=["learning_plans_select_public_anon", "learning_plans_select_public_auth"],
--   caller="(select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')")
-- stamped: owner_via_policies sha256:2d7299ae1115f6ee  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.learning_plans has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'learning_plans');

-- check: select, insert, update and delete on public.learning_plans by authenticated: exactly the stamped policies
create temporary table learning_plans (like public.learning_plans);

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
select pg_temp.hand_over('learning_plans', 'authenticated', array['auth', 'public']::pg_catalog.text[]);

create policy learning_plans_select_own
  on pg_temp.learning_plans
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
  on pg_temp.learning_plans
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
  on pg_temp.learning_plans
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
  on pg_temp.learning_plans
  for delete
  to authenticated
  using (
    user_id = any (array(
      select parent.id
      from public.users as parent
      where parent.clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')
    ))
  );

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;
with expected as (
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'learning_plans'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'learning_plans')
    and p.policyname not in ('learning_plans_select_public_anon', 'learning_plans_select_public_auth')
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

-- check: an index begins with every column that the policies of public.learning_plans read
set local search_path = pg_catalog, pg_temp;
select exists (
  select from pg_index as i
  join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  join pg_class as c on c.oid = i.indrelid join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname, a.attname) = (r.schema_name, r.table_name, r.column_name) and i.indisvalid and i.indpred is null
) as indexed, r.*
from (
  values
    ('public', 'learning_plans', 'user_id'),
    ('public', 'users', 'id'),
    ('public', 'users', 'clerk_user_id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: service_policies(table="learning_plans", commands=["select", "insert", "update", "delete"])
-- stamped: service_policies sha256:1dc6d1e5f427a8f0  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.learning_plans has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'learning_plans');

-- check: select, insert, update and delete on public.learning_plans by service_role: exactly the stamped policies
create temporary table learning_plans (like public.learning_plans);

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
select pg_temp.hand_over('learning_plans', 'service_role', array[]::pg_catalog.text[]);

create policy learning_plans_select_service
  on pg_temp.learning_plans
  for select
  to service_role
  using (true);

create policy learning_plans_insert_service
  on pg_temp.learning_plans
  for insert
  to service_role
  with check (true);

create policy learning_plans_update_service
  on pg_temp.learning_plans
  for update
  to service_role
  using (true)
  with check (true);

create policy learning_plans_delete_service
  on pg_temp.learning_plans
  for delete
  to service_role
  using (true);

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;
with expected as (
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'learning_plans'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'learning_plans')
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

-- stamp: grants(table="learning_plans",
--   to={"anon": ["select"],
--   "authenticated": ["select", "insert", "update", "delete"],
--   "service_role": ["select", "insert", "update", "delete"]})
-- stamped: grants sha256:948091125ce08fd0  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.learning_plans exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'anon', '', unnest(array['select'])
  union all select 'authenticated', '', unnest(array['select', 'insert', 'update', 'delete'])
  union all select 'service_role', '', unnest(array['select', 'insert', 'update', 'delete'])
),
target as (
  select c.* from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname) = ('public', 'learning_plans')
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
