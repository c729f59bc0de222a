-- The exercises of an import: $1 the user, $2 the names in the file. Gives the name in lower case and
-- without the blanks around it, the id, and whether it is new. A name is the system's exercise or the
-- user's own, whatever its case; the rest become the user's own. A blank name gives no row.
--
-- Two imports of one user run one behind the other: the second waits here, and then sees which
-- sessions the first one brought.
with me as materialized (
  select id from public.users where id = $1::uuid for no key update
),
wanted as (
  select distinct on (lower(name)) name
  from me
  cross join unnest($2::text[]) as given
  cross join lateral regexp_replace(
    given,
    '^[\s\u0085\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]+|[\s\u0085\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]+$',
    '',
    'g'
  ) as name
  where name <> ''
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
