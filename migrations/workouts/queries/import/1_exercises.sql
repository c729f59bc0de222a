-- The exercises of an import: $1 the user, $2 the names in the file. Gives the name in lower case,
-- the id, and whether it is new. A name is the system's exercise or the user's own, whatever its
-- case; the rest become the user's own.
with wanted as (
  select distinct on (lower(name)) name
  from unnest($2::text[]) as name
  order by lower(name), name
),
known as (
  select distinct on (lower(exercise.name)) lower(exercise.name) as name, exercise.id
  from wanted
  join public.exercises as exercise on lower(exercise.name) = lower(wanted.name)
  where exercise.is_system_exercise
    or exercise.created_by = $1::uuid
  order by lower(exercise.name), exercise.is_system_exercise desc
),
created as (
  insert into public.exercises (name, is_system_exercise, created_by)
  select wanted.name, false, $1::uuid
  from wanted
  where not exists (select from known where known.name = lower(wanted.name))
  returning lower(name) as name, id
)
select name, id, false as is_new from known
union all
select name, id, true from created;
