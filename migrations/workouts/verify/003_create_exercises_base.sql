-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: squat = '5afe0000-0000-4000-8000-0000000000e1'
-- let: bench = '5afe0000-0000-4000-8000-0000000000e2'

insert into public.exercises (id, name, category)
values (:'squat', 'Verify Lift', 'Legs'), (:'bench', 'Verify Row', 'Back');

-- check: an exercise with a name and a body area: the defaults
select to_jsonb(made) @> jsonb_build_object(
  'description', null, 'is_compound', false, 'muscle_groups', null, 'created_at', localtimestamp,
  'updated_at', localtimestamp
)
from public.exercises as made where id = :'squat';

-- check error 23505: a name that another exercise has
update public.exercises set name = 'Verify Row' where id = :'squat';

-- check error 23514: a name that is empty
update public.exercises set name = '' where id = :'squat';

-- check error 23514: a name of tabs and line breaks
update public.exercises set name = E' \t\r\n' where id = :'squat';

-- check error 23514: a name that nobody can see
update public.exercises set name = U&'\00a0\2003\200b\3000\feff' where id = :'squat';

-- check error 23502: an exercise without body area
-- until: 004_extend_exercises_feature2
update public.exercises set category = null where id = :'squat';

-- check: exercises is its owner's alone: no right, policy or trigger of another's
-- until: 004_extend_exercises_feature2
select c.relowner = (select proowner from pg_catalog.pg_proc where oid = 'public.update_updated_at_column()'::regprocedure) and not c.relrowsecurity
  and not exists (select from aclexplode(c.relacl) where grantee <> c.relowner)
  and not exists (select from pg_catalog.pg_attribute where attrelid = c.oid and attacl is not null)
  and not exists (select from pg_catalog.pg_policy where polrelid = c.oid)
  and not exists (
    select from pg_catalog.pg_trigger where tgrelid = c.oid and not tgisinternal and tgname <> 'update_exercises_updated_at'
  ),
  c.relname
from pg_catalog.pg_class as c where c.oid = 'public.exercises'::regclass;

-- stamp: updated_at_trigger(table="exercises", function="update_updated_at_column",
--   name="update_exercises_updated_at")
-- stamped: updated_at_trigger sha256:67a1710f9e695126  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_exercises_updated_at runs public.update_updated_at_column before every update of a row of public.exercises
set local search_path = pg_catalog, pg_temp;
select
  t.tgtype = 1 + 2 + 16 -- for each row, before, update, and no other event
    and t.tgenabled = 'O' and t.tgqual is null and cardinality(t.tgattr::int2[]) = 0
    and (pn.nspname, p.proname) = ('public', 'update_updated_at_column') as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid join pg_namespace as n on n.oid = c.relnamespace
join pg_proc as p on p.oid = t.tgfoid join pg_namespace as pn on pn.oid = p.pronamespace
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
