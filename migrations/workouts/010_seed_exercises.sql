-- The 15 exercises of the system. Their ids are the same in every database, so that the rollback
-- knows its own: a name may be a user's, and a slug may. What is there stays as it is: an exercise of
-- the system under one of the names, and a row with one of the ids, which an earlier rollback had to
-- leave and somebody may have changed since.
-- depends: 006_create_workout_template_exercises 009_create_workout_sets

insert into public.exercises (
  id,
  name,
  type,
  movement_category,
  primary_muscle,
  secondary_muscles,
  category,
  is_compound,
  muscle_groups,
  default_unit,
  default_reps
)
select
  own.id,
  system.name,
  system.type,
  system.movement_category,
  system.primary_muscle,
  to_json(string_to_array(system.secondary_muscles, ', ')),
  system.category,
  system.type = 'compound',
  to_json(array_prepend(system.primary_muscle, string_to_array(system.secondary_muscles, ', '))),
  system.default_unit,
  system.default_reps
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
  number,
  name,
  type,
  movement_category,
  primary_muscle,
  secondary_muscles,
  category,
  default_unit,
  default_reps
),
lateral (
  select ('ec5e0000-0000-4000-8000-' || lpad(system.number::text, 12, '0'))::uuid
) as own (id)
where not exists (
  select
  from public.exercises as other
  where other.is_system_exercise
    and lower(other.name::text) = lower(system.name)
)
on conflict (id) do nothing;
