-- same: no exercise of a user's is lost
-- before:
select md5(e::text)
from public.exercises as e
where e.id not between 'ec5e0000-0000-4000-8000-000000000001'
    and 'ec5e0000-0000-4000-8000-000000000015';
-- after:
select md5(e::text)
from public.exercises as e
where e.id not between 'ec5e0000-0000-4000-8000-000000000001'
    and 'ec5e0000-0000-4000-8000-000000000015';

-- same: nothing that refers to an exercise is lost
-- before:
select id from public.workout_template_exercises
union all
select id from public.workout_session_exercises
union all
select id from public.max_lifts;
-- after:
select id from public.workout_template_exercises
union all
select id from public.workout_session_exercises
union all
select id from public.max_lifts;

-- check none: an exercise of this migration that is there though nothing refers to it
select id, name
from public.exercises
where id between 'ec5e0000-0000-4000-8000-000000000001' and 'ec5e0000-0000-4000-8000-000000000015'
except
select e.id, e.name
from public.exercises as e
where exists (select from public.workout_template_exercises as p where p.exercise_id = e.id)
  or exists (select from public.workout_session_exercises as d where d.exercise_id = e.id)
  or exists (select from public.max_lifts as l where l.exercise_id = e.id);
