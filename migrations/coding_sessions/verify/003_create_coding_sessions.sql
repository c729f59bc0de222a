-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- Ann and Bob have a project with a session each. Ann is the caller of every check that acts as a
-- user.
insert into auth.users (id, email)
values
  ('5afe0000-0000-4000-8000-00000000000a', 'ann@verify.invalid'),
  ('5afe0000-0000-4000-8000-00000000000b', 'bob@verify.invalid');
insert into public.projects (id, user_id, name)
values
  ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-00000000000a', 'Ann''s'),
  ('5afe0000-0000-4000-8000-0000000000b1', '5afe0000-0000-4000-8000-00000000000b', 'Bob''s');
insert into public.coding_sessions
  (id, user_id, project_id, initial_prompt, expires_at, updated_at)
values
  (
    '5afe0000-0000-4000-8000-0000000000a2',
    '5afe0000-0000-4000-8000-00000000000a',
    '5afe0000-0000-4000-8000-0000000000a1',
    'Ann''s prompt',
    now() + interval '1 hour',
    '2000-01-01 00:00:00+00'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b2',
    '5afe0000-0000-4000-8000-00000000000b',
    '5afe0000-0000-4000-8000-0000000000b1',
    'Bob''s prompt',
    now() + interval '1 hour',
    '2000-01-01 00:00:00+00'
  );
select set_config(
  'request.jwt.claims',
  '{"sub": "5afe0000-0000-4000-8000-00000000000a", "role": "authenticated"}',
  true
);

-- check: a user opens a session on their own project
set local role authenticated;
insert into public.coding_sessions (user_id, project_id, initial_prompt)
values (
  '5afe0000-0000-4000-8000-00000000000a',
  '5afe0000-0000-4000-8000-0000000000a1',
  'A second one'
);
select to_jsonb(session) - 'id' = jsonb_build_object(
  'user_id', '5afe0000-0000-4000-8000-00000000000a',
  'project_id', '5afe0000-0000-4000-8000-0000000000a1',
  'sandbox_id', null,
  'status', 'pending',
  'initial_prompt', 'A second one',
  'eas_update_url', null,
  'webview_url', null,
  'expires_at', now() + interval '1 hour',
  'started_at', null,
  'completed_at', null,
  'error_message', null,
  'metadata', null,
  'created_at', now(),
  'updated_at', now()
)
from public.coding_sessions as session
where initial_prompt = 'A second one';

-- check error 42501: a user opens a session that never ends
set local role authenticated;
insert into public.coding_sessions (user_id, project_id, initial_prompt, expires_at)
values (
  '5afe0000-0000-4000-8000-00000000000a',
  '5afe0000-0000-4000-8000-0000000000a1',
  'For ever',
  'infinity'
);

-- check error 42501: a user opens a session on a machine of their choice
set local role authenticated;
insert into public.coding_sessions (user_id, project_id, initial_prompt, sandbox_id)
values (
  '5afe0000-0000-4000-8000-00000000000a',
  '5afe0000-0000-4000-8000-0000000000a1',
  'Over there',
  'somebody''s machine'
);

-- check error 42501: a user opens a session that has a preview already
set local role authenticated;
insert into public.coding_sessions (user_id, project_id, initial_prompt, webview_url)
values (
  '5afe0000-0000-4000-8000-00000000000a',
  '5afe0000-0000-4000-8000-0000000000a1',
  'Look here',
  'javascript:x'
);

-- check error 42501: a user opens a session in a status of their choice
set local role authenticated;
insert into public.coding_sessions (user_id, project_id, initial_prompt, status)
values (
  '5afe0000-0000-4000-8000-00000000000a',
  '5afe0000-0000-4000-8000-0000000000a1',
  'Ahead of the queue',
  'active'
);

-- check error 42501: a user chooses the id of a session
set local role authenticated;
insert into public.coding_sessions (id, user_id, project_id, initial_prompt)
values (
  '5afe0000-0000-4000-8000-0000000000a3',
  '5afe0000-0000-4000-8000-00000000000a',
  '5afe0000-0000-4000-8000-0000000000a1',
  'A number of my own'
);

-- check error 42501: a user opens a session on somebody else's project
set local role authenticated;
insert into public.coding_sessions (user_id, project_id, initial_prompt)
values (
  '5afe0000-0000-4000-8000-00000000000a',
  '5afe0000-0000-4000-8000-0000000000b1',
  'Let me in'
);

-- check error 42501: a user opens a session in somebody else's name
set local role authenticated;
insert into public.coding_sessions (user_id, project_id, initial_prompt)
values (
  '5afe0000-0000-4000-8000-00000000000b',
  '5afe0000-0000-4000-8000-0000000000a1',
  'It was Bob'
);

-- check error 42501: a user opens a session for somebody else on that one's project
set local role authenticated;
insert into public.coding_sessions (user_id, project_id, initial_prompt)
values (
  '5afe0000-0000-4000-8000-00000000000b',
  '5afe0000-0000-4000-8000-0000000000b1',
  'A favour'
);

-- check: a user sees their own sessions and no one else's
set local role authenticated;
select array_agg(id) = '{5afe0000-0000-4000-8000-0000000000a2}' from public.coding_sessions;

-- check: a session that a server opened for a user on another's project belongs to its user
insert into public.coding_sessions (id, user_id, project_id, initial_prompt, expires_at)
values (
  '5afe0000-0000-4000-8000-0000000000a3',
  '5afe0000-0000-4000-8000-00000000000b',
  '5afe0000-0000-4000-8000-0000000000a1',
  'Bob on Ann''s project',
  now() + interval '1 hour'
);
set local role authenticated;
select array_agg(id) = '{5afe0000-0000-4000-8000-0000000000a2}' from public.coding_sessions;

-- check: a user changes the status of their own session, and updated_at follows
set local role authenticated;
update public.coding_sessions
set status = 'paused'
where id = '5afe0000-0000-4000-8000-0000000000a2';
select status = 'paused' and updated_at = now() from public.coding_sessions;

-- check error 42501: a user keeps a session for ever
set local role authenticated;
update public.coding_sessions set expires_at = 'infinity';

-- check error 42501: a user dates a session back
set local role authenticated;
update public.coding_sessions set created_at = '1900-01-01 00:00:00+00';

-- check error 42501: a user moves a session to somebody else's machine
set local role authenticated;
update public.coding_sessions set sandbox_id = 'somebody''s machine';

-- check error 42501: a user puts an address of their choice behind the preview
set local role authenticated;
update public.coding_sessions set webview_url = 'javascript:x';

-- Without a where clause only the update policy stands between the caller and other people's rows:
-- a condition would read columns, and reading brings in the select policy. Should the policy be
-- broken on a large live table, the timeout ends the statement early, which fails the check too.
-- check: a user who completes every session within reach completes their own only
set local role authenticated;
set local statement_timeout = '5s';
update public.coding_sessions set status = 'completed';
reset role;
select array_agg(status order by id) = array['completed', 'pending']
from public.coding_sessions
where id in ('5afe0000-0000-4000-8000-0000000000a2', '5afe0000-0000-4000-8000-0000000000b2');

-- check: a user may not change their own session on a project that is somebody else's
update public.coding_sessions
set project_id = '5afe0000-0000-4000-8000-0000000000b1'
where id = '5afe0000-0000-4000-8000-0000000000a2';
set local role authenticated;
update public.coding_sessions set status = 'completed';
select count(*) = 1 and min(status) = 'pending' from public.coding_sessions;

-- check error 42501: a user moves a session to somebody else's project
set local role authenticated;
set local statement_timeout = '5s';
update public.coding_sessions set project_id = '5afe0000-0000-4000-8000-0000000000b1';

-- check error 42501: a user puts somebody else's name under a session
set local role authenticated;
set local statement_timeout = '5s';
update public.coding_sessions set user_id = '5afe0000-0000-4000-8000-00000000000b';

-- check error 42501: a user deletes their own session
set local role authenticated;
delete from public.coding_sessions;

-- check error 42501: a visitor reads sessions
set local role anon;
select id from public.coding_sessions;

-- check: service_role sees every session, and finds the expired ones to close
update public.coding_sessions
set status = 'active', expires_at = now() - interval '1 minute'
where id = '5afe0000-0000-4000-8000-0000000000b2';
set local role service_role;
with closed as (
  update public.coding_sessions
  set status = 'expired'
  where id in ('5afe0000-0000-4000-8000-0000000000a2', '5afe0000-0000-4000-8000-0000000000b2')
    and status in ('pending', 'active')
    and expires_at < now()
  returning id
)
select array_agg(id) = '{5afe0000-0000-4000-8000-0000000000b2}' from closed;

-- check: a project that is deleted takes its sessions along, and no other's
delete from public.projects where id = '5afe0000-0000-4000-8000-0000000000a1';
select array_agg(id) = '{5afe0000-0000-4000-8000-0000000000b2}'
from public.coding_sessions
where id in ('5afe0000-0000-4000-8000-0000000000a2', '5afe0000-0000-4000-8000-0000000000b2');

-- Bob's project stays, so that the session cannot go with it.
-- check: a profile that is deleted takes its sessions along, even those on another's project
update public.coding_sessions
set project_id = '5afe0000-0000-4000-8000-0000000000b1'
where id = '5afe0000-0000-4000-8000-0000000000a2';
delete from public.profiles where id = '5afe0000-0000-4000-8000-00000000000a';
select array_agg(id) = '{5afe0000-0000-4000-8000-0000000000b2}'
from public.coding_sessions
where id in ('5afe0000-0000-4000-8000-0000000000a2', '5afe0000-0000-4000-8000-0000000000b2');

-- check error 23503: a session of nobody
update public.coding_sessions
set user_id = '5afe0000-0000-4000-8000-00000000000c'
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23503: a session on no project
update public.coding_sessions
set project_id = '5afe0000-0000-4000-8000-0000000000c1'
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23502: a session that never expires
insert into public.coding_sessions (user_id, project_id, initial_prompt, expires_at)
values (
  '5afe0000-0000-4000-8000-00000000000a',
  '5afe0000-0000-4000-8000-0000000000a1',
  'For ever',
  null
);

-- check: a server says how long a session lives
set local role service_role;
update public.coding_sessions
set expires_at = now() + interval '3 hours', sandbox_id = 'a machine', metadata = '{"files": 3}'
where id = '5afe0000-0000-4000-8000-0000000000a2';
select expires_at = now() + interval '3 hours' and sandbox_id = 'a machine'
from public.coding_sessions
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23502: a session without a prompt
insert into public.coding_sessions (user_id, project_id, expires_at)
values (
  '5afe0000-0000-4000-8000-00000000000a',
  '5afe0000-0000-4000-8000-0000000000a1',
  now()
);

-- check error 23514: a status that sessions do not have
update public.coding_sessions
set status = 'archived'
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check: each status of a session
insert into public.coding_sessions (user_id, project_id, initial_prompt, expires_at, status)
select
  '5afe0000-0000-4000-8000-00000000000a',
  '5afe0000-0000-4000-8000-0000000000a1',
  'In each status',
  now(),
  status
from unnest(
  array['pending', 'active', 'paused', 'completed', 'failed', 'expired']
) as listed (status);
select count(*) = 6 from public.coding_sessions where initial_prompt = 'In each status';

-- check none: a column that may be empty and should not, or the other way round
select attname
from pg_catalog.pg_attribute
where attrelid = 'public.coding_sessions'::regclass
  and attnum > 0
  and not attisdropped
  and attnotnull = (
    attname in (
      'sandbox_id', 'eas_update_url', 'webview_url', 'started_at', 'completed_at', 'error_message',
      'metadata'
    )
  );

-- check: the owner of coding_sessions is exempt from row level security
select not relforcerowsecurity
from pg_catalog.pg_class
where oid = 'public.coding_sessions'::regclass;

-- check none: a policy of coding_sessions besides its three
select policyname, cmd, roles
from pg_catalog.pg_policies
where schemaname = 'public'
  and tablename = 'coding_sessions'
  and policyname not in (
    'Users can view own sessions',
    'Users can create sessions',
    'Users can update own sessions'
  );

-- check none: a trigger of coding_sessions besides coding_sessions_updated_at
select tgname
from pg_catalog.pg_trigger
where tgrelid = 'public.coding_sessions'::regclass
  and not tgisinternal
  and tgname <> 'coding_sessions_updated_at';

-- check: coding_sessions has these constraints and no other
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname) = array[
  'PRIMARY KEY (id)',
  'FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE CASCADE',
  'CHECK ((status = ANY (ARRAY[''pending''::text, ''active''::text, ''paused''::text, '
  '''completed''::text, ''failed''::text, ''expired''::text])))',
  'FOREIGN KEY (user_id) REFERENCES public.profiles(id) ON DELETE CASCADE'
]
from pg_catalog.pg_constraint
where conrelid = 'public.coding_sessions'::regclass and contype in ('p', 'u', 'f', 'c', 'x');

-- check: coding_sessions has the indexes that its queries rely on
select array_agg(
  indexname || ' ' || substring(indexdef from 'btree .*') order by indexname
) = array[
  'coding_sessions_expires_at_idx btree (expires_at)',
  'coding_sessions_project_id_idx btree (project_id)',
  'coding_sessions_status_idx btree (status)',
  'coding_sessions_user_id_idx btree (user_id)'
]
from pg_catalog.pg_indexes
where schemaname = 'public'
  and indexname in (
    'coding_sessions_expires_at_idx',
    'coding_sessions_project_id_idx',
    'coding_sessions_status_idx',
    'coding_sessions_user_id_idx'
  );

-- stamp: owner_policies(table="coding_sessions", owner="user_id", commands=["select"],
--   names={"select": "Users can view own sessions"})
-- stamped: owner_policies sha256:c3a1f9acff1058aa  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.coding_sessions has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'public'
  and c.relname = 'coding_sessions';

-- check: select on public.coding_sessions by authenticated: exactly the stamped policies
create temporary table coding_sessions (like public.coding_sessions);

-- Another role than the migrating one makes them, where there is one that can. On Supabase every policy that `postgres` makes,
-- on a temporary table too, locks the tables of auth, storage and realtime until the transaction ends.
create function pg_temp.hand_over(copy pg_catalog.text, wanted pg_catalog.text, named pg_catalog.text[])
returns pg_catalog.void
language plpgsql
as $$
declare
  authors_path pg_catalog.text := pg_catalog.current_setting('search_path');
  -- "$user" in it is the migrating role: what it stands for is kept.
  schemas pg_catalog.name[] := pg_catalog.current_schemas(false);
  maker pg_catalog.name;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  select r.rolname into maker
  from pg_roles as r
  cross join (
    select case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end
  ) as may (become)
  where r.rolname in (wanted, 'authenticated', 'service_role', 'anon')
    and r.rolname <> current_user
    and pg_has_role(session_user, r.oid, may.become)
    and pg_has_role(current_user, r.oid, may.become)
    and has_database_privilege(r.oid, current_database(), 'temporary')
    and not exists (
      select
      from pg_namespace as n
      where (n.nspname = any (named) or n.nspname = any (schemas))
        and not has_schema_privilege(r.oid, n.oid, 'usage')
    )
  order by r.rolname = wanted desc, r.rolname
  limit 1;
  if maker is null then
    perform set_config('search_path', authors_path, true);
    return;
  end if;
  execute format('alter table pg_temp.%I owner to %I', copy, maker);
  perform
    set_config('role', maker, true),
    set_config('search_path', coalesce(string_agg(quote_ident(s.name), ', ' order by s.place), ''), true)
  from unnest(schemas) with ordinality as s (name, place);
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
  select p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
  from pg_catalog.pg_policies as p
  join pg_catalog.pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema()
    and p.tablename = 'coding_sessions'
),
found as (
  select p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
  from pg_catalog.pg_policies as p
  where p.schemaname = 'public'
    and p.tablename = 'coding_sessions'
    and (
      p.policyname in (select e.policyname from expected as e)
      or lower(p.cmd) in ('all', 'select')
      and exists (
        select
        from unnest(p.roles) as granted (name)
        left join pg_catalog.pg_roles as g on g.rolname = granted.name
        where granted.name = 'public'
          or exists (
            select
            from pg_catalog.pg_roles as r
            where r.rolname in ('authenticated', 'anon')
              and pg_has_role(r.oid, g.oid, 'usage')
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
      case when f.permissive <> e.permissive then lower(f.permissive) end,
      case when f.cmd <> e.cmd then 'for ' || lower(f.cmd) end,
      case when f.roles <> e.roles then 'to ' || array_to_string(f.roles, ', ') end,
      case when f.qual is distinct from e.qual then 'using ' || coalesce(f.qual, 'nothing') end,
      case
        when f.with_check is distinct from e.with_check
          then 'with check ' || coalesce(f.with_check, 'nothing')
      end
    )
  end as difference
from expected as e
full join found as f using (policyname)
order by as_stamped, policy;

-- check: an index begins with every column that the policies of public.coding_sessions read
set local search_path = pg_catalog, pg_temp;
select
  exists (
    select
    from pg_catalog.pg_index as i
    join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    join pg_catalog.pg_class as c on c.oid = i.indrelid
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = r.schema_name
      and c.relname = r.table_name
      and a.attname = r.column_name
      and i.indisvalid
      and i.indpred is null
  ) as indexed,
  r.*
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
-- stamped: owner_via_policies sha256:bbea55c6499bb079  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.coding_sessions has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'public'
  and c.relname = 'coding_sessions';

-- check: insert and update on public.coding_sessions by authenticated: exactly the stamped policies
create temporary table coding_sessions (like public.coding_sessions);

-- Another role than the migrating one makes them, where there is one that can. On Supabase every policy that `postgres` makes,
-- on a temporary table too, locks the tables of auth, storage and realtime until the transaction ends.
create function pg_temp.hand_over(copy pg_catalog.text, wanted pg_catalog.text, named pg_catalog.text[])
returns pg_catalog.void
language plpgsql
as $$
declare
  authors_path pg_catalog.text := pg_catalog.current_setting('search_path');
  -- "$user" in it is the migrating role: what it stands for is kept.
  schemas pg_catalog.name[] := pg_catalog.current_schemas(false);
  maker pg_catalog.name;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  select r.rolname into maker
  from pg_roles as r
  cross join (
    select case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end
  ) as may (become)
  where r.rolname in (wanted, 'authenticated', 'service_role', 'anon')
    and r.rolname <> current_user
    and pg_has_role(session_user, r.oid, may.become)
    and pg_has_role(current_user, r.oid, may.become)
    and has_database_privilege(r.oid, current_database(), 'temporary')
    and not exists (
      select
      from pg_namespace as n
      where (n.nspname = any (named) or n.nspname = any (schemas))
        and not has_schema_privilege(r.oid, n.oid, 'usage')
    )
  order by r.rolname = wanted desc, r.rolname
  limit 1;
  if maker is null then
    perform set_config('search_path', authors_path, true);
    return;
  end if;
  execute format('alter table pg_temp.%I owner to %I', copy, maker);
  perform
    set_config('role', maker, true),
    set_config('search_path', coalesce(string_agg(quote_ident(s.name), ', ' order by s.place), ''), true)
  from unnest(schemas) with ordinality as s (name, place);
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
  select p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
  from pg_catalog.pg_policies as p
  join pg_catalog.pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema()
    and p.tablename = 'coding_sessions'
),
found as (
  select p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
  from pg_catalog.pg_policies as p
  where p.schemaname = 'public'
    and p.tablename = 'coding_sessions'
    and (
      p.policyname in (select e.policyname from expected as e)
      or lower(p.cmd) in ('all', 'insert', 'update')
      and exists (
        select
        from unnest(p.roles) as granted (name)
        left join pg_catalog.pg_roles as g on g.rolname = granted.name
        where granted.name = 'public'
          or exists (
            select
            from pg_catalog.pg_roles as r
            where r.rolname in ('authenticated', 'anon')
              and pg_has_role(r.oid, g.oid, 'usage')
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
      case when f.permissive <> e.permissive then lower(f.permissive) end,
      case when f.cmd <> e.cmd then 'for ' || lower(f.cmd) end,
      case when f.roles <> e.roles then 'to ' || array_to_string(f.roles, ', ') end,
      case when f.qual is distinct from e.qual then 'using ' || coalesce(f.qual, 'nothing') end,
      case
        when f.with_check is distinct from e.with_check
          then 'with check ' || coalesce(f.with_check, 'nothing')
      end
    )
  end as difference
from expected as e
full join found as f using (policyname)
order by as_stamped, policy;

-- check: an index begins with every column that the policies of public.coding_sessions read
set local search_path = pg_catalog, pg_temp;
select
  exists (
    select
    from pg_catalog.pg_index as i
    join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    join pg_catalog.pg_class as c on c.oid = i.indrelid
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = r.schema_name
      and c.relname = r.table_name
      and a.attname = r.column_name
      and i.indisvalid
      and i.indpred is null
  ) as indexed,
  r.*
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
-- stamped: updated_at_trigger sha256:c188f1936b19197e  (edit the stamp line or the template, then run pgvouch stamp)
-- check: coding_sessions_updated_at runs public.update_updated_at before every update of a row of public.coding_sessions
set local search_path = pg_catalog, pg_temp;
select
  -- 1 for each row + 2 before + 16 update, and no other event
  t.tgtype = 1 + 2 + 16
  and t.tgenabled = 'O'
  and t.tgqual is null
  and cardinality(t.tgattr::int2[]) = 0
  and pn.nspname = 'public'
  and p.proname = 'update_updated_at' as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_catalog.pg_trigger as t
join pg_catalog.pg_class as c on c.oid = t.tgrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_proc as p on p.oid = t.tgfoid
join pg_catalog.pg_namespace as pn on pn.oid = p.pronamespace
where n.nspname = 'public'
  and c.relname = 'coding_sessions'
  and t.tgname = 'coding_sessions_updated_at'
  and not t.tgisinternal;

-- check: an update of public.coding_sessions sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands.
create temporary table coding_sessions as
  select * from public.coding_sessions with no data;

create trigger coding_sessions_updated_at
  before update on pg_temp.coding_sessions
  for each row
  execute function public.update_updated_at();

-- A time to come, as a client may have written it: what is said of it has to be true afterwards.
insert into pg_temp.coding_sessions (updated_at) values ('2999-01-01');

update pg_temp.coding_sessions set updated_at = '2999-01-01';

set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select
  t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days' as is_now,
  t.updated_at
from pg_temp.coding_sessions as t;
-- end stamp

-- stamp: grants(table="coding_sessions",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update", "delete"]},
--   columns={"authenticated": {"insert": ["user_id", "project_id", "initial_prompt"],
--   "update": ["status"]}})
-- stamped: grants sha256:7f68417f91c556b8  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.coding_sessions exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'authenticated', '', 'select'
  union all select 'service_role', '', 'select'
  union all select 'service_role', '', 'insert'
  union all select 'service_role', '', 'update'
  union all select 'service_role', '', 'delete'
  union all select 'authenticated', 'user_id', 'insert'
  union all select 'authenticated', 'project_id', 'insert'
  union all select 'authenticated', 'initial_prompt', 'insert'
  union all select 'authenticated', 'status', 'update'
),
target as (
  select c.oid, c.relacl, c.relowner
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'public'
    and c.relname = 'coding_sessions'
),
acls (column_name, acl, relowner) as (
  select '', t.relacl, t.relowner
  from target as t
  union all
  select a.attname, a.attacl, t.relowner
  from target as t
  join pg_catalog.pg_attribute as a on a.attrelid = t.oid
  where not a.attisdropped
),
found as (
  select
    coalesce(r.rolname, 'public')::text as grantee,
    acls.column_name::text,
    lower(entry.privilege_type)
      || case when entry.is_grantable then ' with grant option' else '' end as privilege
  from acls
  cross join aclexplode(acls.acl) as entry
  left join pg_catalog.pg_roles as r on r.oid = entry.grantee
  where entry.grantee <> acls.relowner
),
differences as (
  select
    coalesce(s.grantee, f.grantee) as grantee,
    coalesce(s.privilege, f.privilege) as privilege,
    coalesce(s.column_name, f.column_name) as column_name,
    case when f.grantee is null then 'missing' else 'not granted here' end as difference
  from stamped as s
  full join found as f using (grantee, column_name, privilege)
  where s.grantee is null or f.grantee is null
)
select d.grantee is null as as_granted, d.*
from target as t
left join differences as d on d.grantee in ('public', 'anon', 'authenticated', 'service_role');
-- end stamp
