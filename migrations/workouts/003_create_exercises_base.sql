-- The library of exercises as a stub: one list for all, by name and body area. 004 makes it what
-- the templates and sessions need.
-- depends: 001_create_users

create table public.exercises (
  id uuid not null default gen_random_uuid(),
  name varchar(100) not null,
  category varchar(50) not null,
  description text,
  is_compound boolean not null default false,
  muscle_groups json,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint exercises_pkey primary key (id),
  constraint exercises_name_key unique (name),
  -- Not blanks alone: white space of any script, tabs, line breaks, and marks that nobody sees.
  -- What \s knows of them differs from one locale to the next.
  constraint exercises_name_check check (
    name::text ~ '[^\s\u0085\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]'
  )
);

comment on table public.exercises is 'The library of exercises.';
comment on column public.exercises.muscle_groups is 'A JSON array of names.';

-- The constraint's index serves the same look-ups, until 004 drops it.
create index idx_exercises_name on public.exercises (name);
create index idx_exercises_category on public.exercises (category);

-- stamp: updated_at_trigger(table="exercises", function="update_updated_at_column",
--   name="update_exercises_updated_at")
-- stamped: updated_at_trigger sha256:c398329afe628548  (edit the stamp line or the template, then run pgvouch stamp)
create trigger update_exercises_updated_at
  before update on public.exercises
  for each row
  execute function public.update_updated_at_column();
-- end stamp
