-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_project = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_project = '5afe0000-0000-4000-8000-0000000000b1'
-- let: bobs_second = '5afe0000-0000-4000-8000-0000000000b2'
-- let: anns_third = '5afe0000-0000-4000-8000-0000000000a3'
-- let: cid = '5afe0000-0000-4000-8000-00000000000c'

-- Ann and Bob have a project each.
insert into auth.users (id, email) values (:'ann', 'ann@verify.invalid'), (:'bob', 'bob@verify.invalid');
insert into public.projects (id, user_id, name, updated_at)
values
  (:'anns_project', :'ann', 'Ann''s project', '2000-01-01 00:00:00+00'),
  (:'bobs_project', :'bob', 'Bob''s project', '2000-01-01 00:00:00+00');

-- check as ann: a user creates a project of their own with nothing but a name
insert into public.projects (user_id, name) values (:'ann', 'A second one');
select to_jsonb(project) - 'id' = jsonb_build_object(
  'user_id', :'ann', 'name', 'A second one', 'description', null, 'template_id', null, 'expo_config', null,
  'sandbox_id', null, 'status', 'active', 'created_at', now(), 'updated_at', now()
)
from public.projects as project where name = 'A second one';

-- check as ann: a user describes their own project in full
insert into public.projects (user_id, name, description, template_id, expo_config)
values (:'ann', 'A second one', 'In full', 'blank', '{"slug": "second"}');
select description = 'In full' and template_id = 'blank' and expo_config = '{"slug": "second"}'
from public.projects where name = 'A second one';

-- check error 42501 as ann: a user creates a project on a machine of their choice
insert into public.projects (user_id, name, sandbox_id) values (:'ann', 'Mine', 'somebody''s machine');

-- check error 42501 as ann: a user creates a project that is older than it is
insert into public.projects (user_id, name, created_at) values (:'ann', 'Old', '1900-01-01 00:00:00+00');

-- check error 42501 as ann: a user chooses the id of a project
insert into public.projects (id, user_id, name) values (:'anns_third', :'ann', 'A number of my own');

-- check error 42501 as ann: a user creates a project for somebody else
insert into public.projects (user_id, name) values (:'bob', 'A gift');

-- check as ann: a user sees their own projects and no one else's
select array_agg(id) = array[:'anns_project']::uuid[] from public.projects;

-- check as ann: a user changes their own project, and updated_at follows
update public.projects
set
  name = 'Renamed',
  description = 'Better',
  template_id = 'tabs',
  expo_config = '{"slug": "renamed"}',
  status = 'archived'
where id = :'anns_project';
select name = 'Renamed' and status = 'archived' and updated_at = now() from public.projects;

-- check error 42501 as ann: a user points a project at somebody else's machine
update public.projects set sandbox_id = 'somebody''s machine';

-- check error 42501 as ann: a user dates a project back
update public.projects set created_at = '1900-01-01 00:00:00+00';

-- check error 42501 as ann: a user gives a project another id
update public.projects set id = :'anns_third';

-- check as ann: a user deletes softly, by status, and still sees the row
update public.projects set status = 'deleted' where id = :'anns_project';
select status = 'deleted' from public.projects where id = :'anns_project';

-- Without a where clause only the policy of the command stands between the caller and other
-- people's rows: a condition would read columns, and reading brings in the select policy. Should a
-- policy be broken on a large live table, the timeout ends the statement early, which fails too.
-- check as ann: a user who changes every project within reach changes their own only
set local statement_timeout = '5s';
update public.projects set name = 'Mine';
reset role;
select array_agg(name order by id) = array['Mine', 'Bob''s project']
from public.projects where id in (:'anns_project', :'bobs_project');

-- check error 42501 as ann: a user gives a project to somebody else
set local statement_timeout = '5s';
update public.projects set user_id = :'bob';

-- check as ann: a user who deletes every project within reach deletes their own only
set local statement_timeout = '5s';
delete from public.projects;
reset role;
select array_agg(id) = array[:'bobs_project']::uuid[]
from public.projects where id in (:'anns_project', :'bobs_project');

-- check error 42501 as visitor: a visitor reads projects
select id from public.projects;

-- check error 42501 as visitor: a visitor creates a project
insert into public.projects (user_id, name) values (:'ann', 'From outside');

-- check as service: service_role sees and changes every project
update public.projects set sandbox_id = 'a machine' where id in (:'anns_project', :'bobs_project');
select count(*) = 2 from public.projects where id in (:'anns_project', :'bobs_project') and sandbox_id = 'a machine';

-- check as service: service_role creates and deletes projects of anyone
insert into public.projects (id, user_id, name) values (:'bobs_second', :'bob', 'Made by a server');
delete from public.projects where id = :'bobs_project';
select array_agg(id) = array[:'bobs_second']::uuid[] from public.projects where user_id = :'bob';

-- check: a profile that is deleted takes its projects along, and no other's
delete from public.profiles where id = :'ann';
select array_agg(id) = array[:'bobs_project']::uuid[]
from public.projects where id in (:'anns_project', :'bobs_project');

-- check error 23503: a project of nobody
insert into public.projects (user_id, name) values (:'cid', 'Lost');

-- check error 23502: a project without an owner
insert into public.projects (name) values ('Lost');

-- check error 23502: a project without a name
insert into public.projects (user_id) values (:'ann');

-- check error 23514: a status that projects do not have
update public.projects set status = 'paused' where id = :'anns_project';

-- check: each status of a project
insert into public.projects (user_id, name, status)
select :'ann', 'In each status', status
from unnest(array['active', 'archived', 'deleted']) as listed (status);
select count(*) = 3 from public.projects where name = 'In each status';

-- check: projects has one trigger, which keeps updated_at
select array_agg(tgname) = '{projects_updated_at}'
from pg_catalog.pg_trigger where tgrelid = 'public.projects'::regclass and not tgisinternal;

-- stamp: owner_policies(table="projects", owner="user_id",
--   commands=["select", "insert", "update", "delete"],
--   names={"select": "Users can view own projects", "insert": "Users can create projects",
--   "update": "Users can update own projects", "delete": "Users can delete own projects"})
-- stamped: owner_policies sha256:cf0fbf4119bf66e7  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.projects has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'projects');

-- check: select, insert, update and delete on public.projects by authenticated: exactly the stamped policies
create temporary table projects (like public.projects);

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
select pg_temp.hand_over('projects', 'authenticated', array['auth']::pg_catalog.text[]);

create policy "Users can view own projects"
  on pg_temp.projects
  for select
  to authenticated
  using (user_id = (select auth.uid()));

create policy "Users can create projects"
  on pg_temp.projects
  for insert
  to authenticated
  with check (user_id = (select auth.uid()));

create policy "Users can update own projects"
  on pg_temp.projects
  for update
  to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));

create policy "Users can delete own projects"
  on pg_temp.projects
  for delete
  to authenticated
  using (user_id = (select auth.uid()));

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;
with expected as (
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'projects'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'projects')
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

-- check: an index begins with every column that the policies of public.projects read
set local search_path = pg_catalog, pg_temp;
select exists (
  select from pg_index as i
  join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  join pg_class as c on c.oid = i.indrelid join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname, a.attname) = (r.schema_name, r.table_name, r.column_name) and i.indisvalid and i.indpred is null
) as indexed, r.*
from (
  values
    ('public', 'projects', 'user_id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: updated_at_trigger(table="projects")
-- stamped: updated_at_trigger sha256:93381a83b8b6db1e  (edit the stamp line or the template, then run pgvouch stamp)
-- check: projects_updated_at runs public.update_updated_at before every update of a row of public.projects, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table projects as select * from public.projects with no data;
create trigger projects_updated_at before update on pg_temp.projects for each row execute function public.update_updated_at();
insert into pg_temp.projects (updated_at) values ('2999-01-01');
update pg_temp.projects set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.projects as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'projects', 'projects_updated_at');
-- end stamp

-- stamp: grants(table="projects",
--   to={"authenticated": ["select", "delete"],
--   "service_role": ["select", "insert", "update", "delete"]},
--   columns={"authenticated": {
--   "insert": ["user_id", "name", "description", "template_id", "expo_config"],
--   "update": ["name", "description", "template_id", "expo_config", "status"]}})
-- stamped: grants sha256:5776a00a3c1bd505  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.projects exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'authenticated', '', unnest(array['select', 'delete'])
  union all select 'service_role', '', unnest(array['select', 'insert', 'update', 'delete'])
  union all select 'authenticated', unnest(array['user_id', 'name', 'description', 'template_id', 'expo_config']), 'insert'
  union all select 'authenticated', unnest(array['name', 'description', 'template_id', 'expo_config', 'status']), 'update'
),
target as (
  select c.* from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname) = ('public', 'projects')
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
