-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

insert into public.exercises (id, name, category)
values
  ('5afe0000-0000-4000-8000-0000000000e1', 'Verify Lift', 'Legs'),
  ('5afe0000-0000-4000-8000-0000000000e2', 'Verify Row', 'Back');

-- check: an exercise with a name and a body area: the defaults
select to_jsonb(made) @> jsonb_build_object(
  'description', null,
  'is_compound', false,
  'muscle_groups', null,
  'created_at', localtimestamp,
  'updated_at', localtimestamp
)
from public.exercises as made
where id = '5afe0000-0000-4000-8000-0000000000e1';

-- check error 23505: a name that another exercise has
update public.exercises set name = 'Verify Row' where id = '5afe0000-0000-4000-8000-0000000000e1';

-- check error 23514: a name that is empty
update public.exercises set name = '' where id = '5afe0000-0000-4000-8000-0000000000e1';

-- check error 23514: a name of tabs and line breaks
update public.exercises set name = E' \t\r\n' where id = '5afe0000-0000-4000-8000-0000000000e1';

-- check error 23514: a name that nobody can see
update public.exercises
set name = U&'\00a0\2003\200b\3000\feff'
where id = '5afe0000-0000-4000-8000-0000000000e1';

-- check error 23502: an exercise without body area
-- until: 004_extend_exercises_feature2
update public.exercises set category = null where id = '5afe0000-0000-4000-8000-0000000000e1';

-- check: of exercises these columns may be empty and no other
-- until: 004_extend_exercises_feature2
select array_agg(attname::text order by attnum) = array['description', 'muscle_groups']
from pg_catalog.pg_attribute
where attrelid = 'public.exercises'::regclass
  and attnum > 0
  and not attisdropped
  and not attnotnull;

-- check none: a right, another owner, a policy or another trigger on exercises
-- until: 004_extend_exercises_feature2
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'public.exercises'::regclass
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
  and t.tgname <> 'update_exercises_updated_at';

-- stamp: updated_at_trigger(table="exercises", function="update_updated_at_column",
--   name="update_exercises_updated_at")
-- stamped: updated_at_trigger sha256:dd0defad1b8f6bad  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_exercises_updated_at runs public.update_updated_at_column before every update of a row of public.exercises
set local search_path = pg_catalog, pg_temp;
select
  t.tgtype = 1 + 2 + 16 -- for each row, before, update, and no other event
    and t.tgenabled = 'O' and t.tgqual is null and cardinality(t.tgattr::int2[]) = 0
    and (pn.nspname, p.proname) = ('public', 'update_updated_at_column') as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid
join pg_namespace as n on n.oid = c.relnamespace
join pg_proc as p on p.oid = t.tgfoid
join pg_namespace as pn on pn.oid = p.pronamespace
where (n.nspname, c.relname, t.tgname) = ('public', 'exercises', 'update_exercises_updated_at') and not t.tgisinternal;

-- check: an update of public.exercises sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table exercises as select * from public.exercises with no data;
create trigger update_exercises_updated_at before update on pg_temp.exercises
  for each row execute function public.update_updated_at_column();
insert into pg_temp.exercises (updated_at) values ('2999-01-01');
update pg_temp.exercises set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days' as is_now, t.updated_at
from pg_temp.exercises as t;
-- end stamp
