-- No exercise is lost: what the stub cannot hold is made to fit. It wants a body area of each, and
-- a name once for all. With created_by gone, everybody's exercises are in the one list again. The
-- body area says which were users' own: should 004 come again, they do not become the system's.

drop trigger generate_exercise_slug_trigger on public.exercises;
drop function public.generate_exercise_slug();

update public.exercises
set category = case
  when is_system_exercise then coalesce(category, initcap(movement_category), 'Other')
  else left(concat_ws(': ', 'Own', coalesce(category, initcap(movement_category))), 50)
end
where category is null
  or not is_system_exercise;

-- Of exercises of one name the system's keeps it, or else the oldest.
update public.exercises as exercise
set name = left(exercise.name, 89) || ' (' || left(exercise.id::text, 8) || ')'
from (
  select
    id,
    row_number() over (partition by name order by is_system_exercise desc, created_at, id) as place
  from public.exercises
) as namesake
where namesake.id = exercise.id
  and namesake.place > 1;

-- Indexes and constraints go with their columns.
alter table public.exercises
  drop column slug,
  drop column type,
  drop column movement_category,
  drop column primary_muscle,
  drop column secondary_muscles,
  drop column default_unit,
  drop column default_reps,
  drop column default_weight,
  drop column demo_image_url,
  drop column demo_video_url,
  drop column is_system_exercise,
  drop column is_deleted,
  drop column created_by,
  alter column category set not null,
  add constraint exercises_name_key unique (name);
