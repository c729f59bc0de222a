-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_project = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_project = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_session = '5afe0000-0000-4000-8000-0000000000a2'
-- let: bobs_session = '5afe0000-0000-4000-8000-0000000000b2'
-- let: anns_event = '5afe0000-0000-4000-8000-0000000000a3'
-- let: bobs_event = '5afe0000-0000-4000-8000-0000000000b3'
-- let: no_session = '5afe0000-0000-4000-8000-0000000000c2'

-- Ann and Bob have a session with a job and an event each.
insert into auth.users (id, email) values (:'ann', 'ann@verify.invalid'), (:'bob', 'bob@verify.invalid');
insert into public.projects (id, user_id, name)
values (:'anns_project', :'ann', 'Ann''s'), (:'bobs_project', :'bob', 'Bob''s');
insert into public.coding_sessions (id, user_id, project_id, initial_prompt, expires_at)
values
  (:'anns_session', :'ann', :'anns_project', 'Ann''s prompt', now() + interval '1 hour'),
  (:'bobs_session', :'bob', :'bobs_project', 'Bob''s prompt', now() + interval '1 hour');
insert into public.coding_jobs (session_id, prompt)
values (:'anns_session', 'Ann''s job'), (:'bobs_session', 'Bob''s job');
insert into public.session_events (id, session_id, event_type, data)
values
  (:'anns_event', :'anns_session', 'thinking', '{"message": "Ann''s"}'),
  (:'bobs_event', :'bobs_session', 'thinking', '{"message": "Bob''s"}');

-- check as ann: a user sees the events of their own sessions and no one else's
select array_agg(id) = array[:'anns_event']::uuid[] from public.session_events;

-- check: whose project it is makes no difference, the session's user sees the event
update public.coding_sessions set user_id = :'bob' where id = :'anns_session';
-- as: ann
select count(*) = 0 from public.session_events;

-- check error 42501 as ann: a user reports an event
insert into public.session_events (session_id, event_type, data) values (:'anns_session', 'completion', '{}');

-- check error 42501 as ann: a user rewrites history
update public.session_events set data = '{}';

-- check error 42501 as ann: a user erases history
delete from public.session_events;

-- check error 42501 as visitor: a visitor reads events
select id from public.session_events;

-- check as service: the worker reports an event of anyone's session
insert into public.session_events (session_id, event_type, data)
values (:'bobs_session', 'terminal', '{"command": "npm test"}');
select to_jsonb(event) - 'id' = jsonb_build_object(
  'session_id', :'bobs_session', 'event_type', 'terminal', 'data', '{"command": "npm test"}'::jsonb,
  'created_at', now()
)
from public.session_events as event where session_id = :'bobs_session' and event_type = 'terminal';

-- check as service: the worker sees every event
select count(*) = 2 from public.session_events where id in (:'anns_event', :'bobs_event');

-- check: a session that is deleted takes its events along, and no other's
delete from public.coding_sessions where id = :'anns_session';
select array_agg(id) = array[:'bobs_event']::uuid[]
from public.session_events where id in (:'anns_event', :'bobs_event');

-- check: an account that is deleted leaves nothing behind, down to its events
delete from auth.users where id = :'ann';
select array_agg(id) = array[:'bobs_event']::uuid[]
from public.session_events where id in (:'anns_event', :'bobs_event');

-- check error 23503: an event of no session
insert into public.session_events (session_id, event_type, data) values (:'no_session', 'thinking', '{}');

-- check error 23502: an event without a session
insert into public.session_events (event_type, data) values ('thinking', '{}');

-- check error 23502: an event without a type
insert into public.session_events (session_id, data) values (:'anns_session', '{}');

-- check error 23502: an event without data
insert into public.session_events (session_id, event_type) values (:'anns_session', 'thinking');

-- check error 23514: a type that events do not have
insert into public.session_events (session_id, event_type, data) values (:'anns_session', 'coffee', '{}');

-- check: each type of event
insert into public.session_events (session_id, event_type, data)
select :'anns_session', event_type, '{"listed": true}'
from unnest(
  array['thinking', 'terminal', 'file_change', 'preview_ready', 'completion', 'error']
) as listed (event_type);
select count(*) = 6 from public.session_events where session_id = :'anns_session' and data = '{"listed": true}';

-- check: wherever there is Realtime, clients can subscribe to every new event, with all its columns
select not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime')
  or exists (
    select
    from pg_catalog.pg_publication_tables as member
    join pg_catalog.pg_publication as publication using (pubname)
    where member.pubname = 'supabase_realtime'
      and member.schemaname = 'public'
      and member.tablename = 'session_events'
      and member.rowfilter is null
      and member.attnames @> array['id', 'session_id', 'event_type', 'data', 'created_at']::name[]
      and publication.pubinsert
  );

-- stamp: owner_via_policies(table="session_events",
--   via=[{"table": "coding_sessions", "key": "id", "column": "session_id", "owner": "user_id"}],
--   commands=["select"], names={"select": "Users can view own session events"})
-- stamped: owner_via_policies sha256:71be4a56dc364942  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.session_events has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'session_events');

-- check: select on public.session_events by authenticated: exactly the stamped policies
create temporary table session_events (like public.session_events);

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
select pg_temp.hand_over('session_events', 'authenticated', array['auth', 'public']::pg_catalog.text[]);

create policy "Users can view own session events"
  on pg_temp.session_events
  for select
  to authenticated
  using (
    session_id = any (array(
      select parent.id
      from public.coding_sessions as parent
      where parent.user_id = (select auth.uid())
    ))
  );

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;
with expected as (
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'session_events'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'session_events')
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

-- check: an index begins with every column that the policies of public.session_events read
set local search_path = pg_catalog, pg_temp;
select exists (
  select from pg_index as i
  join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  join pg_class as c on c.oid = i.indrelid join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname, a.attname) = (r.schema_name, r.table_name, r.column_name) and i.indisvalid and i.indpred is null
) as indexed, r.*
from (
  values
    ('public', 'session_events', 'session_id'),
    ('public', 'coding_sessions', 'id'),
    ('public', 'coding_sessions', 'user_id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: grants(table="session_events",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update", "delete"]})
-- stamped: grants sha256:7116e5b7cca16c50  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.session_events exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'authenticated', '', unnest(array['select'])
  union all select 'service_role', '', unnest(array['select', 'insert', 'update', 'delete'])
),
target as (
  select c.* from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname) = ('public', 'session_events')
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

-- stamp: malformed_callers(tables=["profiles", "projects", "coding_sessions", "coding_jobs", "session_events"],
--   actor="ann", claims={"email": "ann@verify.invalid", "name": "Ann"})
-- stamped: malformed_callers sha256:68d61589f5b8c679  (edit the stamp line or the template, then run pgvouch stamp)
-- check none as ann: profiles, projects, coding_sessions, coding_jobs and session_events: a token that only resembles hers shows more than a stranger sees
select pg_catalog.set_config('malformed.role', pg_catalog.current_setting('role'), true);
reset role;
set local search_path = pg_catalog, pg_temp;

create temporary table asked as
  select 'public' as schema, 'request.jwt.claims' as setting, t.relation, current_setting('malformed.role') as role
  from unnest(array['profiles', 'projects', 'coding_sessions', 'coding_jobs', 'session_events']) as t (relation);

create temporary table tried as
with true_one (token, sub) as (
  select t.token, t.token ->> 'sub'
  from (
    select current_setting('request.jwt.claims')::jsonb || jsonb_build_object('email', 'ann@verify.invalid'::text) || jsonb_build_object('name', 'Ann'::text)
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

-- Whoever adds to the system says so here as well. What is allowed is the platform's own.
-- Whoever adds to the system says so here as well. What is allowed is the platform's own.
-- stamp: whole_catalog(schemas=["public"], roles=["anon", "authenticated", "service_role", "authenticator"],
--   holds=[
--     "table public.coding_jobs, row security, 1 policy: 3 integer, 3 text, 4 timestamptz, 2 uuid",
--     "table public.coding_sessions, row security, 3 policies: 1 jsonb, 6 text, 5 timestamptz, 3 uuid",
--     "table public.profiles, row security, 2 policies: 2 integer, 5 text, 2 timestamptz, 1 uuid",
--     "table public.projects, row security, 4 policies: 1 jsonb, 5 text, 2 timestamptz, 2 uuid",
--     "table public.session_events, row security, 1 policy: 1 jsonb, 1 text, 1 timestamptz, 2 uuid",
--     "security definer function public.handle_new_user(), search_path=\"\"",
--     "function public.update_updated_at(), search_path=\"\"",
--     "trigger coding_jobs_updated_at on public.coding_jobs",
--     "trigger coding_sessions_updated_at on public.coding_sessions",
--     "trigger on_auth_user_created on auth.users",
--     "trigger profiles_updated_at on public.profiles",
--     "trigger projects_updated_at on public.projects",
--     "publication supabase_realtime: public.session_events",
--     "role anon",
--     "role authenticated",
--     "role authenticator may become anon",
--     "role authenticator may become authenticated",
--     "role authenticator may become service_role",
--     "role authenticator, login",
--     "role service_role, bypassrls",
--     "grant delete, insert (description, expo_config, name, template_id, user_id), select, update (description, expo_config, name, status, template_id) on public.projects to authenticated",
--     "grant delete, insert, select, update on public.coding_jobs to service_role",
--     "grant delete, insert, select, update on public.coding_sessions to service_role",
--     "grant delete, insert, select, update on public.projects to service_role",
--     "grant delete, insert, select, update on public.session_events to service_role",
--     "grant insert (initial_prompt, project_id, user_id), select, update (status) on public.coding_sessions to authenticated",
--     "grant insert, select, update on public.profiles to service_role",
--     "grant select on public.coding_jobs to authenticated",
--     "grant select on public.session_events to authenticated",
--     "grant select, update (avatar_url, display_name) on public.profiles to authenticated",
--     "grant usage on schema public to anon",
--     "grant usage on schema public to authenticated",
--     "grant usage on schema public to service_role",
--   ],
--   allowed=[
--     "default privileges in public for anon",
--     "default privileges in public for authenticated",
--     "default privileges in public for service_role",
--     "role service_role may become pgsodium_keyholder*",
--     "role pgsodium_keyholder may become pgsodium_keyiduser*",
--     "security definer function public.rls_auto_enable(), search_path=pg_catalog",
--     "grant execute on function public.rls_auto_enable() to anon",
--     "grant execute on function public.rls_auto_enable() to authenticated",
--     "grant execute on function public.rls_auto_enable() to public",
--     "grant execute on function public.rls_auto_enable() to service_role",
--     "schema auth",
--     "schema extensions",
--     "schema supabase_migrations",
--   ])
-- stamped: whole_catalog sha256:8a13874abb52b39a  (edit the stamp line or the template, then run pgvouch stamp)
-- check none: public: something that is not in the list above, or is in it and missing
set local search_path = pg_catalog, pg_temp;
with recursive listed (line) as (
  values
    ('table public.coding_jobs, row security, 1 policy: 3 integer, 3 text, 4 timestamptz, 2 uuid'),
    ('table public.coding_sessions, row security, 3 policies: 1 jsonb, 6 text, 5 timestamptz, 3 uuid'),
    ('table public.profiles, row security, 2 policies: 2 integer, 5 text, 2 timestamptz, 1 uuid'),
    ('table public.projects, row security, 4 policies: 1 jsonb, 5 text, 2 timestamptz, 2 uuid'),
    ('table public.session_events, row security, 1 policy: 1 jsonb, 1 text, 1 timestamptz, 2 uuid'),
    ('security definer function public.handle_new_user(), search_path=""'),
    ('function public.update_updated_at(), search_path=""'),
    ('trigger coding_jobs_updated_at on public.coding_jobs'),
    ('trigger coding_sessions_updated_at on public.coding_sessions'),
    ('trigger on_auth_user_created on auth.users'),
    ('trigger profiles_updated_at on public.profiles'),
    ('trigger projects_updated_at on public.projects'),
    ('publication supabase_realtime: public.session_events'),
    ('role anon'),
    ('role authenticated'),
    ('role authenticator may become anon'),
    ('role authenticator may become authenticated'),
    ('role authenticator may become service_role'),
    ('role authenticator, login'),
    ('role service_role, bypassrls'),
    ('grant delete, insert (description, expo_config, name, template_id, user_id), select, update (description, expo_config, name, status, template_id) on public.projects to authenticated'),
    ('grant delete, insert, select, update on public.coding_jobs to service_role'),
    ('grant delete, insert, select, update on public.coding_sessions to service_role'),
    ('grant delete, insert, select, update on public.projects to service_role'),
    ('grant delete, insert, select, update on public.session_events to service_role'),
    ('grant insert (initial_prompt, project_id, user_id), select, update (status) on public.coding_sessions to authenticated'),
    ('grant insert, select, update on public.profiles to service_role'),
    ('grant select on public.coding_jobs to authenticated'),
    ('grant select on public.session_events to authenticated'),
    ('grant select, update (avatar_url, display_name) on public.profiles to authenticated'),
    ('grant usage on schema public to anon'),
    ('grant usage on schema public to authenticated'),
    ('grant usage on schema public to service_role')
),
-- On one server they are there, on another they are not.
allowed (line) as (
  values
    ('default privileges in public for anon'),
    ('default privileges in public for authenticated'),
    ('default privileges in public for service_role'),
    ('role service_role may become pgsodium_keyholder*'),
    ('role pgsodium_keyholder may become pgsodium_keyiduser*'),
    ('security definer function public.rls_auto_enable(), search_path=pg_catalog'),
    ('grant execute on function public.rls_auto_enable() to anon'),
    ('grant execute on function public.rls_auto_enable() to authenticated'),
    ('grant execute on function public.rls_auto_enable() to public'),
    ('grant execute on function public.rls_auto_enable() to service_role'),
    ('schema auth'),
    ('schema extensions'),
    ('schema supabase_migrations')
),
home as (
  select n.oid, n.nspname
  from pg_namespace as n
  where n.nspname in ('public')
),
-- The application's roles, and whatever they may become.
reached as (
  select r.oid, r.rolname
  from pg_roles as r
  where r.rolname in ('anon', 'authenticated', 'service_role', 'authenticator')
  union
  select r.oid, r.rolname
  from reached
  join pg_auth_members as m on m.member = reached.oid
  join pg_roles as r on r.oid = m.roleid
),
grantee (oid, name) as (
  select 0::oid, 'public'::name
  union all
  select oid, rolname from reached
),
things as (
  select
    home.nspname as schema_name, d.classid, d.objid,
    thing.type as kind, thing.identity as name
  from home
  join pg_depend as d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = home.oid
  cross join pg_identify_object(d.classid, d.objid, 0) as thing
  where d.deptype = 'n'
    -- Somebody has dropped it since this query began.
    and thing.identity is not null
    -- As an index, they only help the planner.
    and d.classid <> 'pg_statistic_ext'::regclass
    -- What an extension brought into its own schema is the extension's.
    and not exists (
      select
      from pg_depend as e
      join pg_extension as x on x.oid = e.refobjid and x.extnamespace = home.oid
      where e.classid = d.classid and e.objid = d.objid and e.deptype = 'e'
    )
),
relations as (
  select
    t.schema_name, t.kind, t.name,
    c.oid, c.relowner, c.relacl, c.relkind, c.relpersistence, c.relrowsecurity,
    c.relforcerowsecurity, c.reloptions
  from things as t
  join pg_class as c on c.oid = t.objid
  where t.classid = 'pg_class'::regclass
),
routines as (
  select
    t.schema_name, t.kind, p.oid::regprocedure::text as name,
    p.oid, p.proowner, p.proacl, p.prosecdef, p.proconfig
  from things as t
  join pg_proc as p on p.oid = t.objid
  where t.classid = 'pg_proc'::regclass
),
owners (schema_name, name, owner) as (
  select schema_name, name, relowner from relations
  union all
  select schema_name, name, proowner from routines
  union all
  select t.schema_name, t.name, y.typowner
  from things as t
  join pg_type as y on y.oid = t.objid
  where t.classid = 'pg_type'::regclass
),
-- One role owns it all, the one that migrates: whoever owns most of the first schema.
main (owner) as (
  select mode() within group (order by o.owner)
  from owners as o
  where o.schema_name = 'public'
),
-- A serial's or identity's sequence goes with its column, as long as it counts one by one to the end of its type.
sequences as (
  select
    r.name,
    exists (
      select
      from pg_depend as d
      where d.classid = 'pg_class'::regclass
        and d.objid = r.oid
        and d.refclassid = 'pg_class'::regclass
        and d.deptype in ('a', 'i')
    ) as goes_with_column,
    concat(
      case when s.seqcycle then ' cycle' end,
      case when s.seqincrement <> 1 then ' increment ' || s.seqincrement end,
      case when s.seqmin <> 1 then ' minvalue ' || s.seqmin end,
      case
        when s.seqmax
          <> case s.seqtypid
            when 'smallint'::regtype then 32767
            when 'integer'::regtype then 2147483647
            else 9223372036854775807
          end
          then ' maxvalue ' || s.seqmax
      end
    ) as oddity
  from relations as r
  join pg_sequence as s on s.seqrelid = r.oid
),
-- What reads rows of these tables, over any number of views.
readers (oid, name) as (
  select r.oid, r.name
  from relations as r
  union
  select w.ev_class, readers.name
  from readers
  join pg_depend as d on d.refclassid = 'pg_class'::regclass and d.refobjid = readers.oid
  join pg_rewrite as w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
),
-- Elsewhere, and open to the application: what gives it rows or rights of these schemas all the same.
outside (line, acl, owner, space) as (
  select concat(r.line, r.name), c.relacl || columns.acl, c.relowner, c.relnamespace
  from (
    select
      readers.oid,
      concat(case v.relkind when 'v' then 'view ' else 'materialized view ' end, v.oid::regclass, ', which reads ') as line,
      readers.name
    from readers
    join pg_class as v on v.oid = readers.oid
    where v.relkind in ('v', 'm')
      and not exists (
        select
        from pg_options_to_table(v.reloptions) as o
        where o.option_name = 'security_invoker' and o.option_value::boolean
      )
    union all
    select i.inhrelid, concat('table ', i.inhrelid::regclass, ', a part of '), p.name
    from relations as p
    join pg_inherits as i on i.inhparent = p.oid
    where p.relkind in ('r', 'p', 'f')
  ) as r
  join pg_class as c on c.oid = r.oid
  cross join lateral (
    select array_agg(item)
    from pg_attribute as a
    cross join unnest(a.attacl) as item
    where a.attrelid = c.oid and a.attnum > 0
  ) as columns (acl)
  union all
  -- What it does may be anything, for its text says nothing to the catalog.
  select
    concat('function ', p.oid::regprocedure, ', security definer'),
    coalesce(p.proacl, acldefault('f', p.proowner)),
    p.proowner,
    p.pronamespace
  from pg_proc as p
  where p.prosecdef
    -- Not PostgreSQL's own.
    and p.oid >= 16384
    and (p.proowner = (select owner from main) or p.pronamespace = 'pg_catalog'::regnamespace)
    and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
    and not exists (
      select
      from pg_depend as e
      where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
    )
),
-- PostgreSQL's catalog, pgvouch's ledger, and the tables of others that foreign keys here refer to: an account's, say.
beneath_tables (classid, oid, subid, name, acl) as (
  select 'pg_class'::regclass, c.oid, 0, c.oid::regclass::text, c.relacl
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  where (
      n.nspname in ('pg_catalog', 'pgvouch')
      or c.oid in (
        select k.confrelid
        from pg_constraint as k
        where k.contype = 'f' and k.conrelid in (select oid from relations)
      )
    )
    and c.relkind <> 'i'
    and c.oid not in (select oid from relations)
),
beneath as (
  select * from beneath_tables
  union all
  select b.classid, b.oid, a.attnum, b.name, a.attacl
  from beneath_tables as b
  join pg_attribute as a on a.attrelid = b.oid and a.attnum > 0 and a.attacl is not null
  union all
  select 'pg_proc'::regclass, p.oid, 0, 'function ' || p.oid::regprocedure, p.proacl
  from pg_proc as p
  where p.pronamespace = 'pg_catalog'::regnamespace
  union all
  select 'pg_namespace'::regclass, n.oid, 0, 'schema ' || n.nspname, n.nspacl
  from pg_namespace as n
  where n.nspname in ('pg_catalog', 'pgvouch')
  union all
  select 'pg_parameter_acl'::regclass, p.oid, 0, 'parameter ' || p.parname, p.paracl
  from pg_parameter_acl as p
),
grants (privilege, object, grantee) as (
  select
    acl.privilege_type || case when acl.is_grantable then ' with grant option' else '' end,
    r.name,
    acl.grantee
  from relations as r
  cross join aclexplode(r.relacl) as acl
  where acl.grantee <> r.relowner
  union all
  select
    acl.privilege_type
      || ' (' || string_agg(a.attname, ', ' order by a.attname) || ')'
      || case when acl.is_grantable then ' with grant option' else '' end,
    r.name,
    acl.grantee
  from relations as r
  join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  cross join aclexplode(a.attacl) as acl
  where acl.grantee <> r.relowner
  group by acl.privilege_type, acl.is_grantable, r.name, acl.grantee
  union all
  select
    acl.privilege_type || case when acl.is_grantable then ' with grant option' else '' end,
    'function ' || f.name,
    acl.grantee
  from routines as f
  cross join aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) as acl
  where acl.grantee <> f.proowner
  union all
  select acl.privilege_type, 'schema ' || home.nspname, acl.grantee
  from home
  join pg_namespace as n on n.oid = home.oid
  cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as acl
  where acl.grantee <> n.nspowner
    -- PostgreSQL lets everybody look into public; to take that back is no harm.
    and (n.nspname, acl.grantee, acl.privilege_type) <> ('public', 0, 'USAGE')
  union all
  select acl.privilege_type, 'this database', acl.grantee
  from pg_database as d
  cross join aclexplode(d.datacl) as acl
  where d.datname = current_database() and acl.privilege_type = 'CREATE'
  union all
  select acl.privilege_type || coalesce(' (' || a.attname || ')', ''), b.name, acl.grantee
  from beneath as b
  cross join aclexplode(b.acl) as acl
  left join pg_attribute as a on b.subid > 0 and a.attrelid = b.oid and a.attnum = b.subid
  -- But for those of the first day.
  where not exists (
      select
      from pg_init_privs as i
      cross join aclexplode(i.initprivs) as was
      where i.classoid = b.classid
        and i.objoid = b.oid
        and i.objsubid = b.subid
        and (was.grantee, was.privilege_type) = (acl.grantee, acl.privilege_type)
    )
    -- Everybody may call a function unless it is said otherwise.
    and (b.classid <> 'pg_proc'::regclass or acl.grantee <> 0)
),
found (line) as (
  select concat(
    case r.relpersistence when 'u' then 'unlogged ' when 't' then 'temporary ' end,
    r.kind, ' ', r.name,
    case when r.relrowsecurity then ', row security' end,
    case when r.relforcerowsecurity then ' of the owner too' end,
    -- Whether a view reads with its owner's rights or its caller's.
    case when r.relkind = 'v' then ', ' || array_to_string(r.reloptions, ', ') end,
    (
      select format(', %s %s', count(*), case count(*) when 1 then 'policy' else 'policies' end)
      from pg_policy as p
      where p.polrelid = r.oid
      having count(*) > 0
    ),
    ': ',
    (
      select string_agg(concat(k.number, ' ', k.type), ', ' order by k.type collate "C")
      from (
        select
          count(*) as number,
          -- PostgreSQL's own long names are shortened.
          replace(replace(replace(
            format_type(a.atttypid, a.atttypmod),
            'character varying', 'varchar'), ' without time zone', ''), ' with time zone', 'tz')
            || case when a.attcollation <> y.typcollation then ' collate ' || l.collname else '' end
            as type
        from pg_attribute as a
        join pg_type as y on y.oid = a.atttypid
        left join pg_collation as l on l.oid = a.attcollation
        where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        group by 2
      ) as k
    )
  )
  from relations as r
  where r.relkind <> 'S'
  union all
  select 'sequence ' || s.name || s.oddity
  from sequences as s
  where not s.goes_with_column or s.oddity <> ''
  union all
  select concat(
    case when f.prosecdef then 'security definer ' end,
    f.kind, ' ', f.name,
    ', ' || array_to_string(f.proconfig, ', ')
  )
  from routines as f
  union all
  select t.kind || ' ' || t.name
  from things as t
  where t.classid not in ('pg_class'::regclass, 'pg_proc'::regclass)
  union all
  -- On tables of others, where it calls a function of ours, as well.
  select concat(
    'trigger ', t.tgname, ' on ', t.tgrelid::regclass,
    case when t.tgenabled <> 'O' then ', not enabled as usual' end
  )
  from pg_trigger as t
  where not t.tgisinternal
    and (t.tgrelid in (select oid from relations) or t.tgfoid in (select oid from routines))
  union all
  -- PostgreSQL's own triggers are what enforces a foreign key.
  select format('constraint %s on %s, not enforced', k.conname, k.conrelid::regclass)
  from pg_trigger as t
  join pg_constraint as k on k.oid = t.tgconstraint
  where t.tgisinternal and t.tgenabled <> 'O' and k.conrelid in (select oid from relations)
  union all
  select concat('rule ', w.rulename, ' on ', r.name)
  from pg_rewrite as w
  join relations as r on r.oid = w.ev_class
  where w.rulename <> '_RETURN'
  union all
  select concat(
    'constraint ', k.conname, ' on ', r.name,
    case when k.condeferrable then ', deferrable' end,
    case when k.condeferred then ', initially deferred' end,
    case when not k.convalidated then ', not validated' end
  )
  from pg_constraint as k
  join relations as r on r.oid = k.conrelid
  where k.condeferrable or not k.convalidated
  union all
  select format('publication %s: %s', p.pubname, m.prrelid::regclass)
    || case when m.prqual is not null or m.prattrs is not null then ' in part' else '' end
  from pg_publication_rel as m
  join pg_publication as p on p.oid = m.prpubid
  where m.prrelid in (select oid from relations)
  union all
  select format('publication %s: every table of %s', p.pubname, home.nspname)
  from pg_publication_namespace as m
  join pg_publication as p on p.oid = m.pnpubid
  join home on home.oid = m.pnnspid
  union all
  select format('publication %s: every table', p.pubname)
  from pg_publication as p
  where p.puballtables
  union all
  select format('subscription %s: %s', s.subname, m.srrelid::regclass)
  from pg_subscription_rel as m
  join pg_subscription as s on s.oid = m.srsubid
  where m.srrelid in (select oid from relations)
  union all
  -- It changes what a query of anybody's means.
  select concat(
    'cast from ', k.castsource::regtype, ' to ', k.casttarget::regtype,
    case k.castcontext when 'i' then ', implicit' when 'a' then ', in assignments' end
  )
  from pg_cast as k
  join pg_type as s on s.oid = k.castsource
  join pg_type as t on t.oid = k.casttarget
  where k.oid >= 16384
    and (
      s.typnamespace in (select oid from home)
      or t.typnamespace in (select oid from home)
      or s.typnamespace = 'pg_catalog'::regnamespace and t.typnamespace = 'pg_catalog'::regnamespace
    )
    and not exists (
      select
      from pg_depend as e
      where e.classid = 'pg_cast'::regclass and e.objid = k.oid and e.deptype in ('e', 'i')
    )
  union all
  select o.line
  from outside as o
  join pg_namespace as n on n.oid = o.space
  where o.space not in (select oid from home)
    and n.nspname !~ '^pg_(toast_)?temp_'
    and (
      o.owner in (select oid from reached)
      or exists (
        select
        from aclexplode(o.acl) as acl
        where acl.grantee in (select oid from grantee)
      )
    )
  union all
  select 'schema ' || n.nspname
  from pg_namespace as n
  where n.nspowner in (select owner from main union all select oid from reached)
    and n.oid not in (select oid from home)
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'pgvouch')
    and not exists (
      select
      from pg_depend as e
      where e.classid = 'pg_namespace'::regclass and e.objid = n.oid and e.deptype = 'e'
    )
  union all
  select format('owner of %s: %s', o.name, pg_get_userbyid(o.owner))
  from owners as o
  where o.owner <> (select owner from main) or o.owner in (select oid from reached)
  union all
  select format('owner of schema %s: %s', n.nspname, r.rolname)
  from pg_namespace as n
  join pg_roles as r on r.oid = n.nspowner
  where n.oid in (select oid from home)
    -- A platform may have made public for its own.
    and (r.oid in (select oid from reached) or not r.rolsuper)
    and r.oid <> (select owner from main)
    and r.rolname <> 'pg_database_owner'
  union all
  select format('owner of this database: %s', r.rolname)
  from pg_database as d
  join reached as r on r.oid = d.datdba
  where d.datname = current_database()
  union all
  select format(
    'grant %s on %s to %s',
    string_agg(lower(g.privilege), ', ' order by lower(g.privilege) collate "C"),
    g.object,
    grantee.name
  )
  from grants as g
  join grantee on grantee.oid = g.grantee
  -- From PostgreSQL 17 on it is part of all; it reads and writes no row.
  where g.privilege <> 'MAINTAIN'
  group by g.object, grantee.name
  union all
  select format(
    'default privileges in %s for %s',
    coalesce(nullif(d.defaclnamespace, 0)::regnamespace::text, 'every schema'),
    grantee.name
  )
  from pg_default_acl as d
  cross join aclexplode(d.defaclacl) as acl
  join grantee on grantee.oid = acl.grantee
  where d.defaclrole = (select owner from main)
    and (d.defaclnamespace = 0 or d.defaclnamespace in (select oid from home))
    -- By PostgreSQL's own defaults everybody may call functions and use types.
    and (d.defaclobjtype, acl.grantee) not in (('f', 0), ('T', 0))
  union all
  select concat('role ', r.rolname, also.said)
  from reached
  join pg_roles as r on r.oid = reached.oid
  cross join concat(
    case when r.rolsuper then ', superuser' end,
    case when r.rolbypassrls then ', bypassrls' end,
    case when r.rolcreaterole then ', createrole' end,
    case when r.rolcreatedb then ', createdb' end,
    case when r.rolreplication then ', replication' end,
    case when r.rolcanlogin then ', login' end
  ) as also (said)
  where r.rolname in ('anon', 'authenticated', 'service_role', 'authenticator') or also.said <> ''
  union all
  select concat(
    'role ', reached.rolname, ' may become ', pg_get_userbyid(m.roleid),
    -- Without asking to be it.
    case when pg_has_role(reached.oid, m.roleid, 'usage') then ', and has its rights' end,
    case when m.admin_option then ', and may make others so' end
  )
  from reached
  join pg_auth_members as m on m.member = reached.oid
  union all
  -- What decides who one is and what one sees; a limit of time or memory does not.
  select format(
    'setting %s of %s',
    split_part(setting, '=', 1),
    coalesce('role ' || reached.rolname, 'the database')
  )
  from pg_db_role_setting as s
  cross join unnest(s.setconfig) as setting
  left join reached on reached.oid = s.setrole
  where (s.setrole = 0 or reached.oid is not null)
    and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
    and (
      setting ~* '^(role|row_security|session_replication_role|session_authorization)='
      or setting ~* '^search_path=' and s.setrole <> 0
      or setting ~ '^[^=]*\.' and setting !~ '^(pgrst|app\.settings|auto_explain|pg_stat_statements|pgaudit|plpgsql|pg_hint_plan|timescaledb|cron)\.'
    )
)
select
  case when f.line is null then 'missing' else 'not in the list' end as difference,
  -- As the list above spells it.
  to_jsonb(line) as spelled
from listed as l
full join (select distinct line from found) as f using (line)
where (l.line is null or f.line is null)
  and not exists (
    select
    from allowed as a
    -- `*` is the only character with a meaning.
    where coalesce(f.line, l.line)
      like replace(replace(replace(replace(a.line, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')
  )
-- What can be done with a thing comes behind the thing.
order by line ~ '^(grant|role|setting|default)', line;
-- end stamp
