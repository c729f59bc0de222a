-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_project = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_project = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_session = '5afe0000-0000-4000-8000-0000000000a2'
-- let: bobs_session = '5afe0000-0000-4000-8000-0000000000b2'
-- let: anns_event = '5afe0000-0000-4000-8000-0000000000a3'
-- let: bobs_event = '5afe0000-0000-4000-8000-0000000000b3'
-- let: no_session = '5afe0000-0000-4000-8000-0000000000c2'

-- Ann and Bob have a session with a job each.
insert into auth.users (id, email) values (:'ann', 'ann@verify.invalid'), (:'bob', 'bob@verify.invalid');
insert into public.projects (id, user_id, name)
values (:'anns_project', :'ann', 'Ann''s'), (:'bobs_project', :'bob', 'Bob''s');
insert into public.coding_sessions (id, user_id, project_id, initial_prompt, expires_at)
values
  (:'anns_session', :'ann', :'anns_project', 'Ann''s prompt', now() + interval '1 hour'),
  (:'bobs_session', :'bob', :'bobs_project', 'Bob''s prompt', now() + interval '1 hour');
insert into public.coding_jobs (id, session_id, prompt, updated_at)
values
  (:'anns_event', :'anns_session', 'Ann''s job', '2000-01-01 00:00:00+00'),
  (:'bobs_event', :'bobs_session', 'Bob''s job', '2000-01-01 00:00:00+00');

-- check as ann: a user sees the jobs of their own sessions and no one else's
select array_agg(id) = array[:'anns_event']::uuid[] from public.coding_jobs;

-- check: whose project it is makes no difference, the session's user sees the job
update public.coding_sessions set user_id = :'bob' where id = :'anns_session';
-- as: ann
select count(*) = 0 from public.coding_jobs;

-- check error 42501 as ann: a user queues a job
insert into public.coding_jobs (session_id, prompt) values (:'anns_session', 'Quick, please');

-- check error 42501 as ann: a user moves their own job ahead in the queue
update public.coding_jobs set priority = 100;

-- check error 42501 as ann: a user deletes their own job
delete from public.coding_jobs;

-- check error 42501 as visitor: a visitor reads jobs
select id from public.coding_jobs;

-- check as service: the worker queues a job with nothing but its session and prompt
insert into public.coding_jobs (session_id, prompt) values (:'bobs_session', 'A second one');
select to_jsonb(job) - 'id' = jsonb_build_object(
  'session_id', :'bobs_session', 'prompt', 'A second one', 'status', 'pending', 'priority', 0, 'retry_count', 0,
  'max_retries', 3, 'error_message', null, 'started_at', null, 'completed_at', null, 'created_at', now(),
  'updated_at', now()
)
from public.coding_jobs as job where prompt = 'A second one';

-- check: the worker claims by priority, then by age, whoever's job it is, and updated_at follows
insert into public.coding_jobs (id, session_id, prompt, priority, created_at)
values
  (gen_random_uuid(), :'bobs_session', 'Urgent, younger', 10, now()),
  (gen_random_uuid(), :'bobs_session', 'Urgent, older', 10, now() - interval '1 minute');
-- as: service
with next_job as (
  select id
  from public.coding_jobs where status = 'pending' and session_id in (:'anns_session', :'bobs_session')
  order by priority desc, created_at
  limit 1
  for update skip locked
),
claimed as (
  update public.coding_jobs as job set status = 'processing', started_at = now() from next_job
  where job.id = next_job.id returning job.prompt, job.updated_at
)
select prompt = 'Urgent, older' and updated_at = now() from claimed;

-- check as service: an update of a job moves its updated_at
update public.coding_jobs set status = 'completed' where id = :'anns_event';
select updated_at = now() from public.coding_jobs where id = :'anns_event';

-- check as service: the worker sees every job and may clear it away
with cleared as (delete from public.coding_jobs where id in (:'anns_event', :'bobs_event') returning id)
select count(*) = 2 from cleared;

-- check: a session that is deleted takes its jobs along, and no other's
delete from public.coding_sessions where id = :'anns_session';
select array_agg(id) = array[:'bobs_event']::uuid[]
from public.coding_jobs where id in (:'anns_event', :'bobs_event');

-- check error 23503: a job of no session
insert into public.coding_jobs (session_id, prompt) values (:'no_session', 'Lost');

-- check error 23502: a job without a session
insert into public.coding_jobs (prompt) values ('Lost');

-- check error 23502: a job without a prompt
insert into public.coding_jobs (session_id) values (:'anns_session');

-- check error 23514: a status that jobs do not have
update public.coding_jobs set status = 'cancelled' where id = :'anns_event';

-- check: each status of a job
insert into public.coding_jobs (session_id, prompt, status)
select :'anns_session', 'In each status', status
from unnest(array['pending', 'processing', 'completed', 'failed']) as listed (status);
select count(*) = 4 from public.coding_jobs where prompt = 'In each status';

-- check: coding_jobs has one trigger, which keeps updated_at
select array_agg(tgname) = '{coding_jobs_updated_at}'
from pg_catalog.pg_trigger where tgrelid = 'public.coding_jobs'::regclass and not tgisinternal;

-- check: coding_jobs has one policy, so nothing is written past the grants
select count(*) = 1 from pg_catalog.pg_policies where (schemaname, tablename) = ('public', 'coding_jobs');

-- stamp: owner_via_policies(table="coding_jobs",
--   via=[{"table": "coding_sessions", "key": "id", "column": "session_id", "owner": "user_id"}],
--   commands=["select"], names={"select": "Users can view own jobs"})
-- stamped: owner_via_policies sha256:5d27c9c376a2c802  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.coding_jobs has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'coding_jobs');

-- check: select on public.coding_jobs by authenticated: exactly the stamped policies
create temporary table coding_jobs (like public.coding_jobs);

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
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'coding_jobs'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'coding_jobs')
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

-- check: an index begins with every column that the policies of public.coding_jobs read
set local search_path = pg_catalog, pg_temp;
select exists (
  select from pg_index as i
  join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  join pg_class as c on c.oid = i.indrelid join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname, a.attname) = (r.schema_name, r.table_name, r.column_name) and i.indisvalid and i.indpred is null
) as indexed, r.*
from (
  values
    ('public', 'coding_jobs', 'session_id'),
    ('public', 'coding_sessions', 'id'),
    ('public', 'coding_sessions', 'user_id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: updated_at_trigger(table="coding_jobs")
-- stamped: updated_at_trigger sha256:41ad2320be232192  (edit the stamp line or the template, then run pgvouch stamp)
-- check: coding_jobs_updated_at runs public.update_updated_at before every update of a row of public.coding_jobs, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table coding_jobs as select * from public.coding_jobs with no data;
create trigger coding_jobs_updated_at before update on pg_temp.coding_jobs for each row execute function public.update_updated_at();
insert into pg_temp.coding_jobs (updated_at) values ('2999-01-01');
update pg_temp.coding_jobs set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.coding_jobs as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'coding_jobs', 'coding_jobs_updated_at');
-- end stamp

-- stamp: grants(table="coding_jobs",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update", "delete"]})
-- stamped: grants sha256:39ae3426b90c8248  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.coding_jobs exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'authenticated', '', unnest(array['select'])
  union all select 'service_role', '', unnest(array['select', 'insert', 'update', 'delete'])
),
target as (
  select c.* from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname) = ('public', 'coding_jobs')
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
