-- Only the rows of this migration, never a user's. One that a template, a session or a best lift
-- refers to is used: it stays, and is found there when the migration comes again.

delete from public.exercises as exercise
where exercise.id between 'ec5e0000-0000-4000-8000-000000000001'
    and 'ec5e0000-0000-4000-8000-000000000015'
  and not exists (
    select
    from public.workout_template_exercises as planned
    where planned.exercise_id = exercise.id
  )
  and not exists (
    select
    from public.workout_session_exercises as done
    where done.exercise_id = exercise.id
  )
  and not exists (
    select
    from public.max_lifts as lift
    where lift.exercise_id = exercise.id
  );
