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

-- check: these columns may be empty, and no other
select array_agg(found.columns order by found.columns collate "C") = array[
  'coding_jobs: completed_at error_message started_at',
  'coding_sessions: completed_at eas_update_url error_message metadata sandbox_id started_at webview_url',
  'profiles: avatar_url display_name stripe_customer_id',
  'projects: description expo_config sandbox_id template_id',
  'session_events:'
]
from (
  select c.relname || ':' || coalesce(
    string_agg(' ' || a.attname, '' order by a.attname collate "C") filter (where not a.attnotnull), ''
  )
  from pg_catalog.pg_class as c
  join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace
    and c.relname in ('coding_jobs', 'coding_sessions', 'profiles', 'projects', 'session_events')
  group by c.relname
) as found (columns);

-- check: session_events has one policy, so nothing is written past the grants
select count(*) = 1 from pg_catalog.pg_policy where polrelid = 'public.session_events'::regclass;

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
