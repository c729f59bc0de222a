-- Only the rows of this migration, and only as it has made them: one that somebody has changed stays,
-- with the change. So does one that a template, a session or a best lift refers to. Both are found
-- there when the migration comes again.

delete from public.exercises as exercise
using (
  values
    (1, 'Squat', 'compound', 'legs', 'Quadriceps', 'Glutes, Hamstrings, Core', 'Legs', 'kg', 5),
    (2, 'Bench Press', 'compound', 'push', 'Chest', 'Triceps, Shoulders', 'Chest', null, null),
    (3, 'Deadlift', 'compound', 'pull', 'Back', 'Glutes, Hamstrings, Traps', 'Back', null, null),
    (4, 'Overhead Press', 'compound', 'push', 'Shoulders', 'Triceps', 'Shoulders', null, null),
    (5, 'Pull-up', 'compound', 'pull', 'Lats', 'Biceps', 'Back', null, null),
    (6, 'Barbell Row', 'compound', 'pull', 'Back', 'Biceps', 'Back', null, null),
    (7, 'Romanian Deadlift', 'compound', 'legs', 'Hamstrings', 'Glutes', 'Legs', null, null),
    (8, 'Dumbbell Curl', 'isolation', 'pull', 'Biceps', 'Forearms', 'Arms', null, null),
    (9, 'Tricep Pushdown', 'isolation', 'push', 'Triceps', '', 'Arms', null, null),
    (10, 'Leg Press', 'compound', 'legs', 'Quadriceps', 'Glutes, Hamstrings', 'Legs', null, null),
    (11, 'Lat Pulldown', 'compound', 'pull', 'Lats', 'Biceps', 'Back', null, null),
    (12, 'Cable Fly', 'isolation', 'push', 'Chest', 'Shoulders', 'Chest', null, null),
    (13, 'Face Pull', 'isolation', 'pull', 'Rear Deltoids', 'Traps', 'Shoulders', null, null),
    (14, 'Hip Thrust', 'compound', 'legs', 'Glutes', 'Hamstrings', 'Legs', null, null),
    (15, 'Plank', 'isolation', 'core', 'Abs', 'Obliques', 'Core', null, null)
) as system (
  number,
  name,
  type,
  movement_category,
  primary_muscle,
  secondary_muscles,
  category,
  default_unit,
  default_reps
)
where exercise.id = ('ec5e0000-0000-4000-8000-' || lpad(system.number::text, 12, '0'))::uuid
  and to_jsonb(exercise) - array['id', 'slug', 'created_at', 'updated_at']
    = jsonb_build_object(
      'name', system.name,
      'category', system.category,
      'description', null,
      'is_compound', system.type = 'compound',
      'muscle_groups',
      array_prepend(system.primary_muscle, string_to_array(system.secondary_muscles, ', ')),
      'type', system.type,
      'movement_category', system.movement_category,
      'primary_muscle', system.primary_muscle,
      'secondary_muscles', string_to_array(system.secondary_muscles, ', '),
      'default_unit', system.default_unit,
      'default_reps', system.default_reps,
      'default_weight', null,
      'demo_image_url', null,
      'demo_video_url', null,
      'is_system_exercise', true,
      'is_deleted', false,
      'created_by', null
    )
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
