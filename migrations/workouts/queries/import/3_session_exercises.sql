-- The exercises of the sessions of an import, an array for each column.
insert into public.workout_session_exercises (
  id, session_id, exercise_id, exercise_name, order_index, rest_seconds, notes
)
select *
from unnest(
  $1::uuid[],
  $2::uuid[],
  $3::uuid[],
  $4::text[],
  $5::integer[],
  $6::integer[],
  $7::text[]
);
