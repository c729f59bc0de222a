-- The exercises of the sessions of an import: $1 the user, then an array for each column. One whose
-- session is not there, for it was imported before, is left out. So is one of a session or with an
-- exercise of somebody else's.
insert into public.workout_session_exercises (
  id, session_id, exercise_id, exercise_name, order_index, rest_seconds, notes
)
select one.*
from unnest(
  $2::uuid[],
  $3::uuid[],
  $4::uuid[],
  $5::text[],
  $6::integer[],
  $7::integer[],
  $8::text[]
) as one (id, session_id, exercise_id, exercise_name, order_index, rest_seconds, notes)
join public.workout_sessions as session on session.id = one.session_id
join public.exercises as exercise on exercise.id = one.exercise_id
where session.user_id = $1::uuid
  and (exercise.is_system_exercise or exercise.created_by = $1::uuid);
