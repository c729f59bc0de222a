-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_project = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_project = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_session = '5afe0000-0000-4000-8000-0000000000a2'
-- let: bobs_session = '5afe0000-0000-4000-8000-0000000000b2'
-- let: new_session = '5afe0000-0000-4000-8000-0000000000a3'
-- let: cid = '5afe0000-0000-4000-8000-00000000000c'
-- let: no_project = '5afe0000-0000-4000-8000-0000000000c1'

-- Ann and Bob have a project with a session each.
insert into auth.users (id, email) values (:'ann', 'ann@verify.invalid'), (:'bob', 'bob@verify.invalid');
insert into public.projects (id, user_id, name)
values (:'anns_project', :'ann', 'Ann''s'), (:'bobs_project', :'bob', 'Bob''s');
insert into public.coding_sessions (id, user_id, project_id, initial_prompt, expires_at, updated_at)
values
  (:'anns_session', :'ann', :'anns_project', 'Ann''s prompt', now() + interval '1 hour', '2000-01-01 00:00:00+00'),
  (:'bobs_session', :'bob', :'bobs_project', 'Bob''s prompt', now() + interval '1 hour', '2000-01-01 00:00:00+00');

-- check as ann: a user opens a session on their own project
insert into public.coding_sessions (user_id, project_id, initial_prompt)
values (:'ann', :'anns_project', 'A second one');
select to_jsonb(session) - 'id' = jsonb_build_object(
  'user_id', :'ann', 'project_id', :'anns_project', 'sandbox_id', null, 'status', 'pending',
  'initial_prompt', 'A second one', 'eas_update_url', null, 'webview_url', null,
  'expires_at', now() + interval '1 hour', 'started_at', null, 'completed_at', null, 'error_message', null,
  'metadata', null, 'created_at', now(), 'updated_at', now()
)
from public.coding_sessions as session where initial_prompt = 'A second one';

-- check error 42501 as ann: a user opens a session that never ends
insert into public.coding_sessions (user_id, project_id, initial_prompt, expires_at)
values (:'ann', :'anns_project', 'For ever', 'infinity');

-- check error 42501 as ann: a user opens a session on a machine of their choice
insert into public.coding_sessions (user_id, project_id, initial_prompt, sandbox_id)
values (:'ann', :'anns_project', 'Over there', 'somebody''s machine');

-- check error 42501 as ann: a user opens a session that has a preview already
insert into public.coding_sessions (user_id, project_id, initial_prompt, webview_url)
values (:'ann', :'anns_project', 'Look here', 'javascript:x');

-- check error 42501 as ann: a user opens a session in a status of their choice
insert into public.coding_sessions (user_id, project_id, initial_prompt, status)
values (:'ann', :'anns_project', 'Ahead of the queue', 'active');

-- check error 42501 as ann: a user chooses the id of a session
insert into public.coding_sessions (id, user_id, project_id, initial_prompt)
values (:'new_session', :'ann', :'anns_project', 'A number of my own');

-- check error 42501 as ann: a user opens a session on somebody else's project
insert into public.coding_sessions (user_id, project_id, initial_prompt)
values (:'ann', :'bobs_project', 'Let me in');

-- check error 42501 as ann: a user opens a session in somebody else's name
insert into public.coding_sessions (user_id, project_id, initial_prompt)
values (:'bob', :'anns_project', 'It was Bob');

-- check error 42501 as ann: a user opens a session for somebody else on that one's project
insert into public.coding_sessions (user_id, project_id, initial_prompt) values (:'bob', :'bobs_project', 'A favour');

-- check as ann: a user sees their own sessions and no one else's
select array_agg(id) = array[:'anns_session']::uuid[] from public.coding_sessions;

-- check: a session that a server opened for a user on another's project belongs to its user
insert into public.coding_sessions (id, user_id, project_id, initial_prompt, expires_at)
values (:'new_session', :'bob', :'anns_project', 'Bob on Ann''s project', now() + interval '1 hour');
-- as: ann
select array_agg(id) = array[:'anns_session']::uuid[] from public.coding_sessions;

-- check as ann: a user changes the status of their own session, and updated_at follows
update public.coding_sessions set status = 'paused' where id = :'anns_session';
select status = 'paused' and updated_at = now() from public.coding_sessions;

-- check error 42501 as ann: a user keeps a session for ever
update public.coding_sessions set expires_at = 'infinity';

-- check error 42501 as ann: a user dates a session back
update public.coding_sessions set created_at = '1900-01-01 00:00:00+00';

-- check error 42501 as ann: a user moves a session to somebody else's machine
update public.coding_sessions set sandbox_id = 'somebody''s machine';

-- check error 42501 as ann: a user puts an address of their choice behind the preview
update public.coding_sessions set webview_url = 'javascript:x';

-- Without a where clause only the update policy stands between the caller and other people's rows:
-- a condition would read columns, and reading brings in the select policy. Should the policy be
-- broken on a large live table, the timeout ends the statement early, which fails the check too.
-- check as ann: a user who completes every session within reach completes their own only
set local statement_timeout = '5s';
update public.coding_sessions set status = 'completed';
reset role;
select array_agg(status order by id) = array['completed', 'pending']
from public.coding_sessions where id in (:'anns_session', :'bobs_session');

-- check: a user may not change their own session on a project that is somebody else's
update public.coding_sessions set project_id = :'bobs_project' where id = :'anns_session';
-- as: ann
update public.coding_sessions set status = 'completed';
select count(*) = 1 and min(status) = 'pending' from public.coding_sessions;

-- check error 42501 as ann: a user moves a session to somebody else's project
set local statement_timeout = '5s';
update public.coding_sessions set project_id = :'bobs_project';

-- check error 42501 as ann: a user puts somebody else's name under a session
set local statement_timeout = '5s';
update public.coding_sessions set user_id = :'bob';

-- check error 42501 as ann: a user deletes their own session
delete from public.coding_sessions;

-- check error 42501 as visitor: a visitor reads sessions
select id from public.coding_sessions;

-- check: service_role sees every session, and finds the expired ones to close
update public.coding_sessions set status = 'active', expires_at = now() - interval '1 minute'
where id = :'bobs_session';
-- as: service
with closed as (
  update public.coding_sessions set status = 'expired'
  where id in (:'anns_session', :'bobs_session') and status in ('pending', 'active') and expires_at < now()
  returning id
)
select array_agg(id) = array[:'bobs_session']::uuid[] from closed;

-- check: a project that is deleted takes its sessions along, and no other's
delete from public.projects where id = :'anns_project';
select array_agg(id) = array[:'bobs_session']::uuid[]
from public.coding_sessions where id in (:'anns_session', :'bobs_session');

-- Bob's project stays, so that the session cannot go with it.
-- check: a profile that is deleted takes its sessions along, even those on another's project
update public.coding_sessions set project_id = :'bobs_project' where id = :'anns_session';
delete from public.profiles where id = :'ann';
select array_agg(id) = array[:'bobs_session']::uuid[]
from public.coding_sessions where id in (:'anns_session', :'bobs_session');

-- check error 23503: a session of nobody
update public.coding_sessions set user_id = :'cid' where id = :'anns_session';

-- check error 23503: a session on no project
update public.coding_sessions set project_id = :'no_project' where id = :'anns_session';

-- check error 23502: a session that never expires
insert into public.coding_sessions (user_id, project_id, initial_prompt, expires_at)
values (:'ann', :'anns_project', 'For ever', null);

-- check as service: a server says how long a session lives
update public.coding_sessions
set expires_at = now() + interval '3 hours', sandbox_id = 'a machine', metadata = '{"files": 3}'
where id = :'anns_session';
select expires_at = now() + interval '3 hours' and sandbox_id = 'a machine'
from public.coding_sessions where id = :'anns_session';

-- check error 23502: a session without a prompt
insert into public.coding_sessions (user_id, project_id, expires_at) values (:'ann', :'anns_project', now());

-- check error 23514: a status that sessions do not have
update public.coding_sessions set status = 'archived' where id = :'anns_session';

-- check: each status of a session
insert into public.coding_sessions (user_id, project_id, initial_prompt, expires_at, status)
select :'ann', :'anns_project', 'In each status', now(), status
from unnest(array['pending', 'active', 'paused', 'completed', 'failed', 'expired']) as listed (status);
select count(*) = 6 from public.coding_sessions where initial_prompt = 'In each status';

-- check: coding_sessions has one trigger, which keeps updated_at
select array_agg(tgname) = '{coding_sessions_updated_at}'
from pg_catalog.pg_trigger where tgrelid = 'public.coding_sessions'::regclass and not tgisinternal;

-- stamp: owner_policies(table="coding_sessions", owner="user_id", commands=["select"],
--   names={"select": "Users can view own sessions"})
-- stamped: owner_policies sha256:9d4be9f987e4eba1  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.coding_sessions has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'coding_sessions');

-- check: select on public.coding_sessions by authenticated: exactly the stamped policies
create temporary table coding_sessions (like public.coding_sessions);

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
select pg_temp.hand_over('coding_sessions', 'authenticated', array['auth']::pg_catalog.text[]);

create policy "Users can view own sessions"
  on pg_temp.coding_sessions
  for select
  to authenticated
  using (user_id = (select auth.uid()));

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;
with expected as (
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'coding_sessions'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'coding_sessions')
    and (
      p.policyname in (select e.policyname from expected as e)
      or lower(p.cmd) in ('all', 'select') and exists (
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

-- check: an index begins with every column that the policies of public.coding_sessions read
set local search_path = pg_catalog, pg_temp;
select exists (
  select from pg_index as i
  join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  join pg_class as c on c.oid = i.indrelid join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname, a.attname) = (r.schema_name, r.table_name, r.column_name) and i.indisvalid and i.indpred is null
) as indexed, r.*
from (
  values
    ('public', 'coding_sessions', 'user_id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: owner_via_policies(table="coding_sessions",
--   via=[{"table": "projects", "key": "id", "column": "project_id", "owner": "user_id"}],
--   own="user_id", commands=["insert", "update"],
--   names={"insert": "Users can create sessions", "update": "Users can update own sessions"})
-- stamped: owner_via_policies sha256:47611abd20c383e3  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.coding_sessions has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'coding_sessions');

-- check: insert and update on public.coding_sessions by authenticated: exactly the stamped policies
create temporary table coding_sessions (like public.coding_sessions);

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
select pg_temp.hand_over('coding_sessions', 'authenticated', array['auth', 'public']::pg_catalog.text[]);

create policy "Users can create sessions"
  on pg_temp.coding_sessions
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
  on pg_temp.coding_sessions
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

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;
with expected as (
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'coding_sessions'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'coding_sessions')
    and (
      p.policyname in (select e.policyname from expected as e)
      or lower(p.cmd) in ('all', 'insert', 'update') and exists (
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

-- check: an index begins with every column that the policies of public.coding_sessions read
set local search_path = pg_catalog, pg_temp;
select exists (
  select from pg_index as i
  join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  join pg_class as c on c.oid = i.indrelid join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname, a.attname) = (r.schema_name, r.table_name, r.column_name) and i.indisvalid and i.indpred is null
) as indexed, r.*
from (
  values
    ('public', 'coding_sessions', 'user_id'),
    ('public', 'coding_sessions', 'project_id'),
    ('public', 'projects', 'id'),
    ('public', 'projects', 'user_id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: updated_at_trigger(table="coding_sessions")
-- stamped: updated_at_trigger sha256:21583c07880d52db  (edit the stamp line or the template, then run pgvouch stamp)
-- check: coding_sessions_updated_at runs public.update_updated_at before every update of a row of public.coding_sessions, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table coding_sessions as select * from public.coding_sessions with no data;
create trigger coding_sessions_updated_at before update on pg_temp.coding_sessions for each row execute function public.update_updated_at();
insert into pg_temp.coding_sessions (updated_at) values ('2999-01-01');
update pg_temp.coding_sessions set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.coding_sessions as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'coding_sessions', 'coding_sessions_updated_at');
-- end stamp

-- stamp: grants(table="coding_sessions",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update", "delete"]},
--   columns={"authenticated": {"insert": ["user_id", "project_id", "initial_prompt"],
--   "update": ["status"]}})
-- stamped: grants sha256:3e2989da6b972bf9  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.coding_sessions exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'authenticated', '', unnest(array['select'])
  union all select 'service_role', '', unnest(array['select', 'insert', 'update', 'delete'])
  union all select 'authenticated', unnest(array['user_id', 'project_id', 'initial_prompt']), 'insert'
  union all select 'authenticated', unnest(array['status']), 'update'
),
target as (
  select c.* from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname) = ('public', 'coding_sessions')
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
