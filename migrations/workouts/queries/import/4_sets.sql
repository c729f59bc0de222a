-- The sets of an import: $1 the user, then an array for each column. One whose exercise was left out,
-- or is in somebody else's session, is left out.
insert into public.workout_sets (
  session_exercise_id, set_number, weight, weight_unit, reps, rpe, notes, is_warmup, completed_at
)
select one.*
from unnest(
  $2::uuid[],
  $3::integer[],
  $4::numeric[],
  $5::text[],
  $6::integer[],
  $7::numeric[],
  $8::text[],
  $9::boolean[],
  $10::timestamp[]
) as one (
  session_exercise_id, set_number, weight, weight_unit, reps, rpe, notes, is_warmup, completed_at
)
join public.workout_session_exercises as exercise on exercise.id = one.session_exercise_id
join public.workout_sessions as session on session.id = exercise.session_id
where session.user_id = $1::uuid;
