insert into public.users (id, email, display_name)
values
  ('5afe0000-0000-4000-8000-00000000000a', 'ann@verify.invalid', 'Ann'),
  ('5afe0000-0000-4000-8000-00000000000b', 'bob@verify.invalid', 'Bob');
insert into public.import_jobs (id, user_id)
values
  ('5afe0000-0000-4000-8000-000000000031', '5afe0000-0000-4000-8000-00000000000a'),
  ('5afe0000-0000-4000-8000-000000000032', '5afe0000-0000-4000-8000-00000000000b');

-- check: an import waits for a worker
select to_jsonb(made) @> jsonb_build_object(
  'status', 'pending',
  'summary', null,
  'error', null,
  'created_at', localtimestamp,
  'updated_at', localtimestamp
)
from public.import_jobs as made
where id = '5afe0000-0000-4000-8000-000000000031';

-- check: a worker takes it, and says what was imported
update public.import_jobs
set status = 'processing'
where id = '5afe0000-0000-4000-8000-000000000031';
update public.import_jobs
set status = 'completed', summary = '{"sessions": 200}'
where id = '5afe0000-0000-4000-8000-000000000031';
select status = 'completed' and summary ->> 'sessions' = '200'
from public.import_jobs
where id = '5afe0000-0000-4000-8000-000000000031';

-- check: or why it failed
update public.import_jobs
set status = 'failed', error = 'no such file'
where id = '5afe0000-0000-4000-8000-000000000031';
select error = 'no such file'
from public.import_jobs
where id = '5afe0000-0000-4000-8000-000000000031' and status = 'failed';

-- check error 23514: a status that is none
update public.import_jobs set status = 'done' where id = '5afe0000-0000-4000-8000-000000000031';

-- check: the imports of a user go with the user, and nobody else's
delete from public.users where id = '5afe0000-0000-4000-8000-00000000000a';
select array_agg(id) = array['5afe0000-0000-4000-8000-000000000032'::uuid]
from public.import_jobs
where id in ('5afe0000-0000-4000-8000-000000000031', '5afe0000-0000-4000-8000-000000000032');

-- check: what import_jobs refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
]
from pg_catalog.pg_constraint
where conrelid = 'public.import_jobs'::regclass
  and contype = 'f';

-- check: of import_jobs these columns may be empty and no other
select array_agg(attname::text order by attnum) = array['summary', 'error']
from pg_catalog.pg_attribute
where attrelid = 'public.import_jobs'::regclass
  and attnum > 0
  and not attisdropped
  and not attnotnull;

-- check none: a right, another owner, a policy or another trigger on import_jobs
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'public.import_jobs'::regclass
)
select r.relname || ': owner ' || r.relowner::regrole
from relation as r
where r.relowner <> (
  select proowner
  from pg_catalog.pg_proc
  where oid = 'public.update_updated_at_column()'::regprocedure
)
union all
select r.relname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r, aclexplode(r.relacl) as acl
where acl.grantee <> r.relowner
union all
select r.relname || '.' || a.attname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid, aclexplode(a.attacl) as acl
where acl.grantee <> r.relowner
union all
select r.relname || ': row level security' from relation as r where r.relrowsecurity
union all
select r.relname || ': policy ' || p.polname
from relation as r
join pg_catalog.pg_policy as p on p.polrelid = r.oid
union all
select r.relname || ': trigger ' || t.tgname
from relation as r
join pg_catalog.pg_trigger as t on t.tgrelid = r.oid
where not t.tgisinternal
  and t.tgname <> 'update_import_jobs_updated_at';

-- stamp: updated_at_trigger(table="import_jobs", function="update_updated_at_column",
--   name="update_import_jobs_updated_at")
-- stamped: updated_at_trigger sha256:0a422087585fa865  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_import_jobs_updated_at runs public.update_updated_at_column before every update of a row of public.import_jobs
set local search_path = pg_catalog, pg_temp;
select
  -- 1 for each row + 2 before + 16 update, and no other event
  t.tgtype = 1 + 2 + 16
  and t.tgenabled = 'O'
  and t.tgqual is null
  and cardinality(t.tgattr::int2[]) = 0
  and pn.nspname = 'public'
  and p.proname = 'update_updated_at_column' as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_catalog.pg_trigger as t
join pg_catalog.pg_class as c on c.oid = t.tgrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_proc as p on p.oid = t.tgfoid
join pg_catalog.pg_namespace as pn on pn.oid = p.pronamespace
where n.nspname = 'public'
  and c.relname = 'import_jobs'
  and t.tgname = 'update_import_jobs_updated_at'
  and not t.tgisinternal;

-- check: an update of public.import_jobs sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands.
create temporary table import_jobs as
  select * from public.import_jobs with no data;

create trigger update_import_jobs_updated_at
  before update on pg_temp.import_jobs
  for each row
  execute function public.update_updated_at_column();

insert into pg_temp.import_jobs (updated_at) values ('2000-01-01');

update pg_temp.import_jobs set updated_at = '2000-01-01';

set local search_path = pg_catalog, pg_temp;
select t.updated_at > '2000-01-02' as moved, t.updated_at
from pg_temp.import_jobs as t;
-- end stamp
