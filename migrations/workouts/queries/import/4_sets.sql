-- The sets of an import, an array for each column.
insert into public.workout_sets (
  session_exercise_id, set_number, weight, weight_unit, reps, rpe, notes, is_warmup, completed_at
)
select *
from unnest(
  $1::uuid[],
  $2::integer[],
  $3::numeric[],
  $4::text[],
  $5::integer[],
  $6::numeric[],
  $7::text[],
  $8::boolean[],
  $9::timestamp[]
);
