-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_session = '5afe0000-0000-4000-8000-0000000000a2'
-- let: bobs_session = '5afe0000-0000-4000-8000-0000000000b2'
-- let: squat = '5afe0000-0000-4000-8000-0000000000e1'
-- let: first_done = '5afe0000-0000-4000-8000-0000000000d1'
-- let: second_done = '5afe0000-0000-4000-8000-0000000000d2'

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

-- check: an exercise of a session with its name and place: the rest is open
select to_jsonb(made) @> jsonb_build_object('rest_seconds', null, 'notes', null, 'created_at', localtimestamp)
from public.workout_session_exercises as made where id = :'first_done';

-- check: a new name of an exercise does not change what was
update public.exercises set name = 'Verify Press', is_deleted = true where id = :'squat';
select exercise_name = 'Verify Lift' from public.workout_session_exercises where id = :'first_done';

-- check: one statement puts the exercises into another order
update public.workout_session_exercises set order_index = 1 - order_index where session_id = :'anns_session';
select array_agg(id order by order_index) = array[:'second_done', :'first_done']::uuid[]
from public.workout_session_exercises where session_id = :'anns_session';

-- check: whether a place is taken is asked at the end of each statement, not at the commit
select condeferrable and not condeferred
from pg_catalog.pg_constraint where conname = 'workout_session_exercises_session_id_order_index_key';

-- check error 23505: two exercises of a session in one place
update public.workout_session_exercises set order_index = 1 where id = :'first_done';

-- check: both ends of what is allowed
update public.workout_session_exercises set rest_seconds = 0 where id = :'first_done';
update public.workout_session_exercises set rest_seconds = 600 where id = :'second_done';
select array_agg(rest_seconds order by id) = array[0, 600]
from public.workout_session_exercises where session_id = :'anns_session';

-- check: exercises of a session go with it
delete from public.workout_sessions where id = :'anns_session';
select count(*) = 0 from public.workout_session_exercises where id in (:'first_done', :'second_done');

-- check error 23514: a place before the first
update public.workout_session_exercises set order_index = -1 where id = :'first_done';

-- check error 23514: a rest of less than nothing
update public.workout_session_exercises set rest_seconds = -1 where id = :'first_done';

-- check error 23514: a rest of more than ten minutes
update public.workout_session_exercises set rest_seconds = 601 where id = :'first_done';

-- check: what workout_session_exercises refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (exercise_id) REFERENCES public.exercises(id) ON DELETE RESTRICT',
  'FOREIGN KEY (session_id) REFERENCES public.workout_sessions(id) ON DELETE CASCADE'
] from pg_catalog.pg_constraint where conrelid = 'public.workout_session_exercises'::regclass and contype = 'f';
