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

-- stamp: updated_at_trigger(table="exercises", function="update_updated_at_column",
--   name="update_exercises_updated_at")
-- stamped: updated_at_trigger sha256:5dc028061ac86e94  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_exercises_updated_at runs public.update_updated_at_column before every update of a row of public.exercises, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table exercises as select * from public.exercises with no data;
create trigger update_exercises_updated_at before update on pg_temp.exercises for each row execute function public.update_updated_at_column();
insert into pg_temp.exercises (updated_at) values ('2999-01-01');
update pg_temp.exercises set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.exercises as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'exercises', 'update_exercises_updated_at');
-- end stamp
