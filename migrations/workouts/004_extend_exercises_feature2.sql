-- Exercises of the system and of users' own, each with a slug, a kind, muscles and media. Rows that
-- are there already become exercises of the system, but for those whose body area is Own: they were
-- users' own when this migration was taken back, and are nobody's now. All rows are written again
-- under the lock of the table: it is a library, not a log.
-- depends: 003_create_exercises_base

alter table public.exercises
  add column slug varchar(120),
  add column type varchar(20),
  add column movement_category varchar(20),
  add column primary_muscle varchar(50),
  add column secondary_muscles json,
  add column default_unit varchar(10),
  add column default_reps integer,
  add column default_weight decimal(6, 2),
  add column demo_image_url text,
  add column demo_video_url text,
  add column is_system_exercise boolean not null default true,
  add column is_deleted boolean not null default false,
  add column created_by uuid,
  add constraint exercises_type_check check (type::text in ('compound', 'isolation')),
  add constraint exercises_movement_category_check
    check (movement_category::text in ('push', 'pull', 'legs', 'core', 'cardio', 'other')),
  add constraint exercises_default_unit_check check (default_unit::text in ('kg', 'lb')),
  add constraint exercises_default_reps_check check (default_reps > 0),
  add constraint exercises_default_weight_check
    check (default_weight >= 0 and default_weight <> 'NaN'),
  add constraint exercises_created_by_fkey
    foreign key (created_by) references public.users (id) on delete set null;

-- An exercise of the new kind has no body area: movement_category and primary_muscle say more.
alter table public.exercises alter column category drop not null;

comment on column public.exercises.created_by is
  'Whose own it is; empty for the system''s, and when its owner has gone.';
comment on column public.exercises.is_deleted is
  'Deleted exercises stay, for templates and sessions refer to them.';
comment on column public.exercises.secondary_muscles is 'A JSON array of names.';

-- Two at once may find the same slug free; idx_exercises_slug refuses one, to be tried again.
create function public.generate_exercise_slug()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  base text := trim(both '-' from regexp_replace(lower(new.name), '[^a-z0-9]+', '-', 'g'));
  suffix integer := 0;
begin
  -- A name without a Latin letter or a digit leaves nothing.
  if base = '' then
    base := 'exercise';
  end if;
  new.slug := base;
  while exists (
    select
    from public.exercises as other
    where other.slug = new.slug
      and other.id <> new.id
  ) loop
    suffix := suffix + 1;
    new.slug := base || '-' || suffix;
  end loop;
  return new;
end;
$$;

comment on function public.generate_exercise_slug() is
  'Trigger: makes a slug of the name that no other exercise has: bench-press, bench-press-1.';

revoke execute on function public.generate_exercise_slug() from public;

create trigger generate_exercise_slug_trigger
  before insert or update of name on public.exercises
  for each row
  execute function public.generate_exercise_slug();

-- The only rule that a slug is unique, and there before the first slug is made.
create unique index idx_exercises_slug on public.exercises (slug);

update public.exercises
set
  name = name,
  type = case when is_compound then 'compound' else 'isolation' end,
  secondary_muscles = muscle_groups,
  is_system_exercise = category::text !~ '^Own(: |$)',
  category = case
    when category::text ~ '^Own(: |$)' then nullif(substr(category::text, length('Own: ') + 1), '')
    else category
  end;

alter table public.exercises alter column slug set not null;

-- A name is there once in the system's library and once in each user's own, in whatever case.
alter table public.exercises drop constraint exercises_name_key;
create unique index idx_exercises_system_name
  on public.exercises (lower(name::text))
  where is_system_exercise;
create unique index idx_exercises_user_name
  on public.exercises (created_by, lower(name::text))
  where created_by is not null;

create index idx_exercises_type on public.exercises (type);
create index idx_exercises_movement_cat on public.exercises (movement_category);
create index idx_exercises_primary_muscle on public.exercises (primary_muscle);
create index idx_exercises_is_system on public.exercises (is_system_exercise);
create index idx_exercises_created_by on public.exercises (created_by);
