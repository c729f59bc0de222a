-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- Ann and Bob have a session with a job each. Ann is the caller of every check that acts as a user.
insert into auth.users (id, email)
values
  ('5afe0000-0000-4000-8000-00000000000a', 'ann@verify.invalid'),
  ('5afe0000-0000-4000-8000-00000000000b', 'bob@verify.invalid');
insert into public.projects (id, user_id, name)
values
  ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-00000000000a', 'Ann''s'),
  ('5afe0000-0000-4000-8000-0000000000b1', '5afe0000-0000-4000-8000-00000000000b', 'Bob''s');
insert into public.coding_sessions (id, user_id, project_id, initial_prompt, expires_at)
values
  (
    '5afe0000-0000-4000-8000-0000000000a2',
    '5afe0000-0000-4000-8000-00000000000a',
    '5afe0000-0000-4000-8000-0000000000a1',
    'Ann''s prompt',
    now() + interval '1 hour'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b2',
    '5afe0000-0000-4000-8000-00000000000b',
    '5afe0000-0000-4000-8000-0000000000b1',
    'Bob''s prompt',
    now() + interval '1 hour'
  );
insert into public.coding_jobs (id, session_id, prompt, updated_at)
values
  (
    '5afe0000-0000-4000-8000-0000000000a3',
    '5afe0000-0000-4000-8000-0000000000a2',
    'Ann''s job',
    '2000-01-01 00:00:00+00'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b3',
    '5afe0000-0000-4000-8000-0000000000b2',
    'Bob''s job',
    '2000-01-01 00:00:00+00'
  );
select set_config(
  'request.jwt.claims',
  '{"sub": "5afe0000-0000-4000-8000-00000000000a", "role": "authenticated"}',
  true
);

-- check: a user sees the jobs of their own sessions and no one else's
set local role authenticated;
select array_agg(id) = '{5afe0000-0000-4000-8000-0000000000a3}' from public.coding_jobs;

-- check: whose project it is makes no difference, the session's user sees the job
update public.coding_sessions
set user_id = '5afe0000-0000-4000-8000-00000000000b'
where id = '5afe0000-0000-4000-8000-0000000000a2';
set local role authenticated;
select count(*) = 0 from public.coding_jobs;

-- check error 42501: a user queues a job
set local role authenticated;
insert into public.coding_jobs (session_id, prompt)
values ('5afe0000-0000-4000-8000-0000000000a2', 'Quick, please');

-- check error 42501: a user moves their own job ahead in the queue
set local role authenticated;
update public.coding_jobs set priority = 100;

-- check error 42501: a user deletes their own job
set local role authenticated;
delete from public.coding_jobs;

-- check error 42501: a visitor reads jobs
set local role anon;
select id from public.coding_jobs;

-- check: the worker queues a job with nothing but its session and prompt
set local role service_role;
insert into public.coding_jobs (session_id, prompt)
values ('5afe0000-0000-4000-8000-0000000000b2', 'A second one');
select to_jsonb(job) - 'id' = jsonb_build_object(
  'session_id', '5afe0000-0000-4000-8000-0000000000b2',
  'prompt', 'A second one',
  'status', 'pending',
  'priority', 0,
  'retry_count', 0,
  'max_retries', 3,
  'error_message', null,
  'started_at', null,
  'completed_at', null,
  'created_at', now(),
  'updated_at', now()
)
from public.coding_jobs as job
where prompt = 'A second one';

-- check: the worker claims by priority, then by age, whoever's job it is, and updated_at follows
insert into public.coding_jobs (id, session_id, prompt, priority, created_at)
values
  (
    '5afe0000-0000-4000-8000-0000000000b4',
    '5afe0000-0000-4000-8000-0000000000b2',
    'Urgent, younger',
    10,
    now()
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b5',
    '5afe0000-0000-4000-8000-0000000000b2',
    'Urgent, older',
    10,
    now() - interval '1 minute'
  );
set local role service_role;
with next_job as (
  select id
  from public.coding_jobs
  where status = 'pending'
    and session_id in (
      '5afe0000-0000-4000-8000-0000000000a2',
      '5afe0000-0000-4000-8000-0000000000b2'
    )
  order by priority desc, created_at
  limit 1
  for update skip locked
),
claimed as (
  update public.coding_jobs as job
  set status = 'processing', started_at = now()
  from next_job
  where job.id = next_job.id
  returning job.prompt, job.updated_at
)
select prompt = 'Urgent, older' and updated_at = now() from claimed;

-- check: an update of a job moves its updated_at
set local role service_role;
update public.coding_jobs
set status = 'completed'
where id = '5afe0000-0000-4000-8000-0000000000a3';
select updated_at = now()
from public.coding_jobs
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check: the worker sees every job and may clear it away
set local role service_role;
with cleared as (
  delete from public.coding_jobs
  where id in ('5afe0000-0000-4000-8000-0000000000a3', '5afe0000-0000-4000-8000-0000000000b3')
  returning id
)
select count(*) = 2 from cleared;

-- check: a session that is deleted takes its jobs along, and no other's
delete from public.coding_sessions where id = '5afe0000-0000-4000-8000-0000000000a2';
select array_agg(id) = '{5afe0000-0000-4000-8000-0000000000b3}'
from public.coding_jobs
where id in ('5afe0000-0000-4000-8000-0000000000a3', '5afe0000-0000-4000-8000-0000000000b3');

-- check error 23503: a job of no session
insert into public.coding_jobs (session_id, prompt)
values ('5afe0000-0000-4000-8000-0000000000c2', 'Lost');

-- check error 23502: a job without a session
insert into public.coding_jobs (prompt) values ('Lost');

-- check error 23502: a job without a prompt
insert into public.coding_jobs (session_id) values ('5afe0000-0000-4000-8000-0000000000a2');

-- check error 23514: a status that jobs do not have
update public.coding_jobs
set status = 'cancelled'
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check: each status of a job
insert into public.coding_jobs (session_id, prompt, status)
select '5afe0000-0000-4000-8000-0000000000a2', 'In each status', status
from unnest(array['pending', 'processing', 'completed', 'failed']) as listed (status);
select count(*) = 4 from public.coding_jobs where prompt = 'In each status';

-- check none: a column that may be empty and should not, or the other way round
select attname
from pg_catalog.pg_attribute
where attrelid = 'public.coding_jobs'::regclass
  and attnum > 0
  and not attisdropped
  and attnotnull = (attname in ('error_message', 'started_at', 'completed_at'));

-- check: the owner of coding_jobs is exempt from row level security
select not relforcerowsecurity
from pg_catalog.pg_class
where oid = 'public.coding_jobs'::regclass;

-- check none: a policy of coding_jobs besides its one policy
select policyname, cmd, roles
from pg_catalog.pg_policies
where schemaname = 'public'
  and tablename = 'coding_jobs'
  and policyname <> 'Users can view own jobs';

-- check none: a trigger of coding_jobs besides coding_jobs_updated_at
select tgname
from pg_catalog.pg_trigger
where tgrelid = 'public.coding_jobs'::regclass
  and not tgisinternal
  and tgname <> 'coding_jobs_updated_at';

-- check: coding_jobs has these constraints and no other
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname) = array[
  'PRIMARY KEY (id)',
  'FOREIGN KEY (session_id) REFERENCES public.coding_sessions(id) ON DELETE CASCADE',
  'CHECK ((status = ANY (ARRAY[''pending''::text, ''processing''::text, ''completed''::text, '
  '''failed''::text])))'
]
from pg_catalog.pg_constraint
where conrelid = 'public.coding_jobs'::regclass and contype in ('p', 'u', 'f', 'c', 'x');

-- check: coding_jobs has the indexes that its queries rely on
select array_agg(
  indexname || ' ' || substring(indexdef from 'btree .*') order by indexname
) = array[
  'coding_jobs_session_id_idx btree (session_id, created_at)',
  'coding_jobs_status_priority_idx btree (status, priority DESC, created_at)'
]
from pg_catalog.pg_indexes
where schemaname = 'public'
  and indexname in ('coding_jobs_session_id_idx', 'coding_jobs_status_priority_idx');

-- stamp: owner_via_policies(table="coding_jobs",
--   via=[{"table": "coding_sessions", "key": "id", "column": "session_id", "owner": "user_id"}],
--   commands=["select"], names={"select": "Users can view own jobs"})
-- stamped: owner_via_policies sha256:ea24531f50e10e41  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.coding_jobs has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'public'
  and c.relname = 'coding_jobs';

-- check: select on public.coding_jobs by authenticated: exactly the stamped policies
create temporary table coding_jobs (like public.coding_jobs);

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
select pg_temp.hand_over('coding_jobs', 'authenticated', array['auth', 'public']::pg_catalog.text[]);

create policy "Users can view own jobs"
  on pg_temp.coding_jobs
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
  select p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
  from pg_catalog.pg_policies as p
  join pg_catalog.pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema()
    and p.tablename = 'coding_jobs'
),
found as (
  select p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
  from pg_catalog.pg_policies as p
  where p.schemaname = 'public'
    and p.tablename = 'coding_jobs'
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

-- check: an index begins with every column that the policies of public.coding_jobs read
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
    ('public', 'coding_jobs', 'session_id'),
    ('public', 'coding_sessions', 'id'),
    ('public', 'coding_sessions', 'user_id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: updated_at_trigger(table="coding_jobs")
-- stamped: updated_at_trigger sha256:6758e94fb7849442  (edit the stamp line or the template, then run pgvouch stamp)
-- check: coding_jobs_updated_at runs public.update_updated_at before every update of a row of public.coding_jobs
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
  and c.relname = 'coding_jobs'
  and t.tgname = 'coding_jobs_updated_at'
  and not t.tgisinternal;

-- check: an update of public.coding_jobs sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands.
create temporary table coding_jobs as
  select * from public.coding_jobs with no data;

create trigger coding_jobs_updated_at
  before update on pg_temp.coding_jobs
  for each row
  execute function public.update_updated_at();

-- A time to come, as a client may have written it: what is said of it has to be true afterwards.
insert into pg_temp.coding_jobs (updated_at) values ('2999-01-01');

update pg_temp.coding_jobs set updated_at = '2999-01-01';

set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select
  t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days' as is_now,
  t.updated_at
from pg_temp.coding_jobs as t;
-- end stamp

-- stamp: grants(table="coding_jobs",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update", "delete"]})
-- stamped: grants sha256:dd55499bbbe9bd58  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.coding_jobs exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'authenticated', '', 'select'
  union all select 'service_role', '', 'select'
  union all select 'service_role', '', 'insert'
  union all select 'service_role', '', 'update'
  union all select 'service_role', '', 'delete'
),
target as (
  select c.oid, c.relacl, c.relowner
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'public'
    and c.relname = 'coding_jobs'
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
