-- A user's plans for workouts, to be used again and again.
-- depends: 001_create_users

create table public.workout_templates (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  name varchar(100) not null,
  description text,
  is_archived boolean not null default false,
  cloned_from uuid,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint workout_templates_pkey primary key (id),
  constraint workout_templates_user_id_fkey
    foreign key (user_id) references public.users (id) on delete cascade,
  constraint workout_templates_cloned_from_fkey
    foreign key (cloned_from) references public.workout_templates (id) on delete set null
);

comment on table public.workout_templates is 'Plans for workouts, each its user''s.';
comment on column public.workout_templates.cloned_from is
  'The template that this one began as a copy of; it may be another user''s.';

create index idx_templates_user_id on public.workout_templates (user_id);
create index idx_templates_is_archived on public.workout_templates (is_archived);
create index idx_templates_cloned_from on public.workout_templates (cloned_from);
create index idx_templates_updated_at on public.workout_templates (updated_at desc);

-- stamp: updated_at_trigger(table="workout_templates", function="update_updated_at_column",
--   name="update_workout_templates_updated_at")
-- stamped: updated_at_trigger sha256:b599b24197b33bba  (edit the stamp line or the template, then run pgvouch stamp)
create trigger update_workout_templates_updated_at
  before update on public.workout_templates
  for each row
  execute function public.update_updated_at_column();
-- end stamp
