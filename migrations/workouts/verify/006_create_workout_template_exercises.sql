-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_template = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_template = '5afe0000-0000-4000-8000-0000000000b1'
-- let: squat = '5afe0000-0000-4000-8000-0000000000e1'
-- let: first_place = '5afe0000-0000-4000-8000-0000000000f1'
-- let: second_place = '5afe0000-0000-4000-8000-0000000000f2'

insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');
insert into public.exercises (id, name, is_system_exercise, created_by)
values (:'squat', 'Verify Lift', false, :'ann');
insert into public.workout_templates (id, user_id, name)
values (:'anns_template', :'ann', 'Legs'), (:'bobs_template', :'bob', 'Legs');
insert into public.workout_template_exercises (id, template_id, exercise_id, order_index)
values (:'first_place', :'anns_template', :'squat', 0), (:'second_place', :'anns_template', :'squat', 1);

-- check: an exercise of a template with its place: three times eight, the rest is open
select to_jsonb(made) @> jsonb_build_object(
  'sets', 3, 'reps', '8', 'target_weight', null, 'target_weight_unit', null, 'rest_seconds', null,
  'tempo_notes', null, 'notes', null, 'created_at', localtimestamp, 'updated_at', localtimestamp
)
from public.workout_template_exercises as made where id = :'first_place';

-- check: one statement puts the exercises into another order
update public.workout_template_exercises set order_index = 1 - order_index where template_id = :'anns_template';
select array_agg(id order by order_index) = array[:'second_place', :'first_place']::uuid[]
from public.workout_template_exercises where template_id = :'anns_template';

-- check: whether a place is taken is asked at the end of each statement, not at the commit
select condeferrable and not condeferred
from pg_catalog.pg_constraint where conname = 'workout_template_exercises_template_id_order_index_key';

-- check error 23505: two exercises of a template in one place
update public.workout_template_exercises set order_index = 1 where id = :'first_place';

-- check: both ends of what is allowed
update public.workout_template_exercises
set sets = 1, rest_seconds = 0, target_weight = 0, target_weight_unit = 'kg' where id = :'first_place';
update public.workout_template_exercises
set sets = 20, rest_seconds = 600, target_weight = 9999.99, target_weight_unit = 'lb', reps = '8-12'
where id = :'second_place';
select array_agg(sets order by id) = array[1, 20]
from public.workout_template_exercises where template_id = :'anns_template';

-- check: exercises of a template go with it
delete from public.workout_templates where id = :'anns_template';
select count(*) = 0 from public.workout_template_exercises where id in (:'first_place', :'second_place');

-- check error 23514: a place before the first
update public.workout_template_exercises set order_index = -1 where id = :'first_place';

-- check error 23514: no set
update public.workout_template_exercises set sets = 0 where id = :'first_place';

-- check error 23514: 21 sets
update public.workout_template_exercises set sets = 21 where id = :'first_place';

-- check error 23514: less than no weight
update public.workout_template_exercises set target_weight = -0.01 where id = :'first_place';

-- check error 23514: a weight that is no number
update public.workout_template_exercises set target_weight = 'NaN' where id = :'first_place';

-- check error 23514: a unit that is neither kg nor lb
update public.workout_template_exercises set target_weight_unit = 'st' where id = :'first_place';

-- check error 23514: a rest of less than nothing
update public.workout_template_exercises set rest_seconds = -1 where id = :'first_place';

-- check error 23514: a rest of more than ten minutes
update public.workout_template_exercises set rest_seconds = 601 where id = :'first_place';

-- check: what workout_template_exercises refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (exercise_id) REFERENCES public.exercises(id) ON DELETE RESTRICT',
  'FOREIGN KEY (template_id) REFERENCES public.workout_templates(id) ON DELETE CASCADE'
] from pg_catalog.pg_constraint
where conrelid = 'public.workout_template_exercises'::regclass and contype = 'f';

-- stamp: updated_at_trigger(table="workout_template_exercises",
--   function="update_updated_at_column", name="update_tmpl_exercises_updated_at")
-- stamped: updated_at_trigger sha256:8498a43ac101b9d8  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_tmpl_exercises_updated_at runs public.update_updated_at_column before every update of a row of public.workout_template_exercises, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table workout_template_exercises as select * from public.workout_template_exercises with no data;
create trigger update_tmpl_exercises_updated_at before update on pg_temp.workout_template_exercises for each row execute function public.update_updated_at_column();
insert into pg_temp.workout_template_exercises (updated_at) values ('2999-01-01');
update pg_temp.workout_template_exercises set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.workout_template_exercises as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'workout_template_exercises', 'update_tmpl_exercises_updated_at');
-- end stamp
