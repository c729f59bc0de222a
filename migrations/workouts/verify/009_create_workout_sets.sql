-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_session = '5afe0000-0000-4000-8000-0000000000a2'
-- let: bobs_session = '5afe0000-0000-4000-8000-0000000000b2'
-- let: squat = '5afe0000-0000-4000-8000-0000000000e1'
-- let: first_done = '5afe0000-0000-4000-8000-0000000000d1'
-- let: second_done = '5afe0000-0000-4000-8000-0000000000d2'
-- let: anns_best = '5afe0000-0000-4000-8000-0000000000d9'
-- let: a_set = '5afe0000-0000-4000-8000-0000000000c1'

insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');
insert into public.exercises (id, name, is_system_exercise, created_by)
values (:'squat', 'Verify Lift', false, :'ann');
insert into public.workout_sessions (id, user_id, status, started_at)
values
  (:'anns_session', :'ann', 'completed', '2001-02-03 18:00'),
  (:'bobs_session', :'bob', 'completed', '2001-02-03 18:00');
insert into public.workout_session_exercises (id, session_id, exercise_id, exercise_name, order_index)
values
  (:'first_done', :'anns_session', :'squat', 'Verify Lift', 0),
  (:'second_done', :'anns_session', :'squat', 'Verify Lift', 1);
insert into public.workout_sets (id, session_exercise_id, set_number) values (:'a_set', :'first_done', 1);
insert into public.max_lifts (id, user_id, exercise_id, weight, unit, achieved_at, workout_id)
values (:'anns_best', :'ann', :'squat', 100, 'kg', '2001-02-03', :'anns_session');

-- check: a set with its number: not for warming up, the rest is open
select to_jsonb(made) @> jsonb_build_object(
  'weight', null, 'weight_unit', null, 'reps', null, 'rpe', null, 'notes', null, 'is_warmup', false,
  'completed_at', null, 'created_at', localtimestamp, 'updated_at', localtimestamp
)
from public.workout_sets as made where id = :'a_set';

-- check: both ends of what is allowed
update public.workout_sets set weight = 0, weight_unit = 'kg', reps = 0, rpe = 1 where id = :'a_set';
update public.workout_sets set weight = 9999.99, weight_unit = 'lb', reps = 999, rpe = 10 where id = :'a_set';
update public.max_lifts set weight = 0.01, unit = 'lb' where id = :'anns_best';
select s.rpe = 10 and l.unit = 'lb'
from public.workout_sets as s, public.max_lifts as l where s.id = :'a_set' and l.id = :'anns_best';

-- check: a best lift is one repetition if nothing else is said
select to_jsonb(made) @> jsonb_build_object('reps', 1, 'created_at', localtimestamp, 'updated_at', localtimestamp)
from public.max_lifts as made where id = :'anns_best';

-- check error 23505: two best lifts of a user in one exercise
insert into public.max_lifts (user_id, exercise_id, weight, unit, achieved_at)
values (:'ann', :'squat', 110, 'kg', '2001-02-04');

-- check: a better lift is written over the old one
insert into public.max_lifts as best (user_id, exercise_id, weight, unit, achieved_at)
values (:'ann', :'squat', 110, 'kg', '2001-02-04')
on conflict (user_id, exercise_id) do update set weight = excluded.weight, achieved_at = excluded.achieved_at
where best.weight < excluded.weight;
select weight = 110 from public.max_lifts where id = :'anns_best';

-- check: sets go with their session; the best lift stays
delete from public.workout_sessions where id = :'anns_session';
select workout_id is null and not exists (select
from public.workout_sets where id = :'a_set') from public.max_lifts where id = :'anns_best';

-- check: best lifts go with their user
delete from public.users where id = :'ann';
select count(*) = 0 from public.max_lifts where id = :'anns_best';

-- check error 23514: set number zero
update public.workout_sets set set_number = 0 where id = :'a_set';

-- check error 23514: less than no weight
update public.workout_sets set weight = -0.01 where id = :'a_set';

-- check error 23514: a weight that is no number
update public.workout_sets set weight = 'NaN' where id = :'a_set';

-- check error 23514: an effort that is no number
update public.workout_sets set rpe = 'NaN' where id = :'a_set';

-- check error 23514: a unit that is neither kg nor lb
update public.workout_sets set weight_unit = 'st' where id = :'a_set';

-- check error 23514: less than no repetition
update public.workout_sets set reps = -1 where id = :'a_set';

-- check error 23514: a thousand repetitions
update public.workout_sets set reps = 1000 where id = :'a_set';

-- check error 23514: easier than one
update public.workout_sets set rpe = 0.9 where id = :'a_set';

-- check error 23514: harder than ten
update public.workout_sets set rpe = 10.1 where id = :'a_set';

-- check error 23514: a best lift of nothing
update public.max_lifts set weight = 0 where id = :'anns_best';

-- check error 23514: a best lift that no other can beat
update public.max_lifts set weight = 'NaN' where id = :'anns_best';

-- check error 23514: a best lift in neither kg nor lb
update public.max_lifts set unit = 'st' where id = :'anns_best';

-- check error 23514: a best lift of no repetition
update public.max_lifts set reps = 0 where id = :'anns_best';

-- check: what workout_sets refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (session_exercise_id) REFERENCES public.workout_session_exercises(id) ON DELETE CASCADE'
] from pg_catalog.pg_constraint where conrelid = 'public.workout_sets'::regclass and contype = 'f';

-- check: what max_lifts refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (exercise_id) REFERENCES public.exercises(id) ON DELETE CASCADE',
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE',
  'FOREIGN KEY (workout_id) REFERENCES public.workout_sessions(id) ON DELETE SET NULL'
] from pg_catalog.pg_constraint where conrelid = 'public.max_lifts'::regclass and contype = 'f';

-- stamp: updated_at_trigger(table="workout_sets", function="update_updated_at_column",
--   name="update_workout_sets_updated_at")
-- stamped: updated_at_trigger sha256:aab22e2852e81a89  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_workout_sets_updated_at runs public.update_updated_at_column before every update of a row of public.workout_sets, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table workout_sets as select * from public.workout_sets with no data;
create trigger update_workout_sets_updated_at before update on pg_temp.workout_sets for each row execute function public.update_updated_at_column();
insert into pg_temp.workout_sets (updated_at) values ('2999-01-01');
update pg_temp.workout_sets set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.workout_sets as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'workout_sets', 'update_workout_sets_updated_at');
-- end stamp

-- stamp: updated_at_trigger(table="max_lifts", function="update_updated_at_column",
--   name="update_max_lifts_updated_at")
-- stamped: updated_at_trigger sha256:686e72e03dc06e87  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_max_lifts_updated_at runs public.update_updated_at_column before every update of a row of public.max_lifts, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table max_lifts as select * from public.max_lifts with no data;
create trigger update_max_lifts_updated_at before update on pg_temp.max_lifts for each row execute function public.update_updated_at_column();
insert into pg_temp.max_lifts (updated_at) values ('2999-01-01');
update pg_temp.max_lifts set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.max_lifts as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'max_lifts', 'update_max_lifts_updated_at');
-- end stamp
