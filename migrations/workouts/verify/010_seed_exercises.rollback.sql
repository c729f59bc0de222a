-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- same: what is gone is what the migration has made, nobody has changed, and nobody uses
-- before:
select md5(e::text)
from public.exercises as e
where not exists (
    select
    from (
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
      number, name, type, movement_category, primary_muscle, secondary_muscles, category, default_unit, default_reps
    )
    where e.id = ('ec5e0000-0000-4000-8000-' || lpad(system.number::text, 12, '0'))::uuid
      and to_jsonb(e) - array['id', 'slug', 'created_at', 'updated_at'] = jsonb_build_object(
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
  )
  or exists (select from public.workout_template_exercises as p where p.exercise_id = e.id)
  or exists (select from public.workout_session_exercises as d where d.exercise_id = e.id)
  or exists (select from public.max_lifts as l where l.exercise_id = e.id);
-- after:
select md5(e::text) from public.exercises as e;

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
