-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: first = 'ec5e0000-0000-4000-8000-000000000001'
-- let: last = 'ec5e0000-0000-4000-8000-000000000015'

-- check none: a name of the design that the library lacks, unless somebody has given it another
with design (number, name) as (
  values
    (1, 'Squat'),
    (2, 'Bench Press'),
    (3, 'Deadlift'),
    (4, 'Overhead Press'),
    (5, 'Pull-up'),
    (6, 'Barbell Row'),
    (7, 'Romanian Deadlift'),
    (8, 'Dumbbell Curl'),
    (9, 'Tricep Pushdown'),
    (10, 'Leg Press'),
    (11, 'Lat Pulldown'),
    (12, 'Cable Fly'),
    (13, 'Face Pull'),
    (14, 'Hip Thrust'),
    (15, 'Plank')
)
select d.name
from design as d
where not exists (
  select
  from public.exercises as e
  where e.is_system_exercise
    and lower(e.name) = lower(d.name)
    or e.id = ('ec5e0000-0000-4000-8000-' || lpad(d.number::text, 12, '0'))::uuid
);

-- check none: an exercise of this migration that its rollback would not find
select id, name
from public.exercises
where id::text like 'ec5e0000-0000-4000-8000-%'
  and id not between :'first' and :'last';

-- same: what was there is as it was, and what was not is as the design has it
-- before:
select e.id, md5((to_jsonb(e) - 'slug')::text), slug::text, created_at, updated_at
from public.exercises as e
union all
select
  own.id,
  md5((
    jsonb_build_object('id', own.id, 'created_at', localtimestamp, 'updated_at', localtimestamp)
    || jsonb_build_object(
      'name', system.name, 'category', system.category, 'description', null, 'is_compound', system.type = 'compound',
      'muscle_groups', array_prepend(system.primary_muscle, string_to_array(system.secondary_muscles, ', ')),
      'type', system.type, 'movement_category', system.movement_category, 'primary_muscle', system.primary_muscle,
      'secondary_muscles', string_to_array(system.secondary_muscles, ', '), 'default_unit', system.default_unit,
      'default_reps', system.default_reps, 'default_weight', null, 'demo_image_url', null, 'demo_video_url', null,
      'is_system_exercise', true, 'is_deleted', false, 'created_by', null
    )
  )::text),
  null,
  localtimestamp,
  localtimestamp
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
),
lateral (select ('ec5e0000-0000-4000-8000-' || lpad(system.number::text, 12, '0'))::uuid) as own (id)
where not exists (
  select
  from public.exercises as other
  where other.id = own.id or other.is_system_exercise and lower(other.name) = lower(system.name)
);
-- after:
-- A slug that is new has a number where another exercise has it.
select
  e.id,
  md5((to_jsonb(e) - 'slug')::text),
  case
    when not (
      e.id between :'first' and :'last'
      and e.created_at = localtimestamp
    ) then slug::text
  end,
  created_at,
  updated_at
from public.exercises as e;
