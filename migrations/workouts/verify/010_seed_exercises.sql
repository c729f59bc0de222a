-- check none: a name of the design that the library of the system lacks
with design (name) as (
  values
    ('Squat'),
    ('Bench Press'),
    ('Deadlift'),
    ('Overhead Press'),
    ('Pull-up'),
    ('Barbell Row'),
    ('Romanian Deadlift'),
    ('Dumbbell Curl'),
    ('Tricep Pushdown'),
    ('Leg Press'),
    ('Lat Pulldown'),
    ('Cable Fly'),
    ('Face Pull'),
    ('Hip Thrust'),
    ('Plank')
)
select d.name
from design as d
where not exists (
  select
  from public.exercises as e
  where e.is_system_exercise
    and lower(e.name) = lower(d.name)
);

-- check none: an exercise of this migration that is not as the design has it
with design (
  name,
  type,
  movement_category,
  primary_muscle,
  secondary_muscles,
  category,
  default_unit,
  default_reps
) as (
  values
    ('Squat', 'compound', 'legs', 'Quadriceps', 'Glutes, Hamstrings, Core', 'Legs', 'kg', 5),
    ('Bench Press', 'compound', 'push', 'Chest', 'Triceps, Shoulders', 'Chest', null, null),
    ('Deadlift', 'compound', 'pull', 'Back', 'Glutes, Hamstrings, Traps', 'Back', null, null),
    ('Overhead Press', 'compound', 'push', 'Shoulders', 'Triceps', 'Shoulders', null, null),
    ('Pull-up', 'compound', 'pull', 'Lats', 'Biceps', 'Back', null, null),
    ('Barbell Row', 'compound', 'pull', 'Back', 'Biceps', 'Back', null, null),
    ('Romanian Deadlift', 'compound', 'legs', 'Hamstrings', 'Glutes', 'Legs', null, null),
    ('Dumbbell Curl', 'isolation', 'pull', 'Biceps', 'Forearms', 'Arms', null, null),
    ('Tricep Pushdown', 'isolation', 'push', 'Triceps', '', 'Arms', null, null),
    ('Leg Press', 'compound', 'legs', 'Quadriceps', 'Glutes, Hamstrings', 'Legs', null, null),
    ('Lat Pulldown', 'compound', 'pull', 'Lats', 'Biceps', 'Back', null, null),
    ('Cable Fly', 'isolation', 'push', 'Chest', 'Shoulders', 'Chest', null, null),
    ('Face Pull', 'isolation', 'pull', 'Rear Deltoids', 'Traps', 'Shoulders', null, null),
    ('Hip Thrust', 'compound', 'legs', 'Glutes', 'Hamstrings', 'Legs', null, null),
    ('Plank', 'isolation', 'core', 'Abs', 'Obliques', 'Core', null, null)
)
select e.id, e.name
from public.exercises as e
where e.id between 'ec5e0000-0000-4000-8000-000000000001'
    and 'ec5e0000-0000-4000-8000-000000000015'
  and not exists (
    select
    from design as d
    where e.name = d.name
      and e.is_system_exercise
      and e.created_by is null
      and e.type = d.type
      and e.movement_category = d.movement_category
      and e.primary_muscle = d.primary_muscle
      and e.secondary_muscles::jsonb = to_jsonb(string_to_array(d.secondary_muscles, ', '))
      and e.category = d.category
      and e.is_compound = (d.type = 'compound')
      and e.muscle_groups::jsonb = jsonb_build_array(d.primary_muscle) || e.secondary_muscles::jsonb
      and e.default_unit is not distinct from d.default_unit
      and e.default_reps is not distinct from d.default_reps
  );

-- check none: an exercise of this migration that its rollback would not find
select id, name
from public.exercises
where id::text like 'ec5e0000-0000-4000-8000-%'
  and id not between 'ec5e0000-0000-4000-8000-000000000001'
    and 'ec5e0000-0000-4000-8000-000000000015';

-- same: no other exercise that was there has changed
-- before:
select md5(e::text)
from public.exercises as e
where not e.id between 'ec5e0000-0000-4000-8000-000000000001'
    and 'ec5e0000-0000-4000-8000-000000000015';
-- after:
select md5(e::text)
from public.exercises as e
where not e.id between 'ec5e0000-0000-4000-8000-000000000001'
    and 'ec5e0000-0000-4000-8000-000000000015';
