-- Workouts as they were done. A user is in one at a time.
-- depends: 005_create_workout_templates

create table public.workout_sessions (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  template_id uuid,
  name varchar(150),
  status varchar(20) not null default 'in_progress',
  notes text,
  started_at timestamp not null default now(),
  completed_at timestamp,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint workout_sessions_pkey primary key (id),
  constraint workout_sessions_status_check
    check (status::text in ('in_progress', 'completed', 'abandoned')),
  -- Both are the application's own clock, where it does not leave the start to the database.
  constraint workout_sessions_times_check
    check (isfinite(started_at) and isfinite(completed_at) and completed_at >= started_at),
  constraint workout_sessions_user_id_fkey
    foreign key (user_id) references public.users (id) on delete cascade,
  constraint workout_sessions_template_id_fkey
    foreign key (template_id) references public.workout_templates (id) on delete set null,
  -- The second workout at once is refused with 23P01.
  constraint unique_active_session
    exclude using btree (user_id with =) where (status::text = 'in_progress')
);

comment on table public.workout_sessions is 'Workouts as they were done.';
comment on column public.workout_sessions.started_at is 'In UTC, as all times are.';

create index idx_sessions_user_id on public.workout_sessions (user_id);
create index idx_sessions_status on public.workout_sessions (status);
create index idx_sessions_started_at on public.workout_sessions (started_at desc);
create index idx_sessions_template_id on public.workout_sessions (template_id);
-- One user's sessions of a time: the calendar, the history and the export.
create index idx_sessions_user_started on public.workout_sessions (user_id, started_at desc);

-- stamp: updated_at_trigger(table="workout_sessions", function="update_updated_at_column",
--   name="update_workout_sessions_updated_at")
-- stamped: updated_at_trigger sha256:156631469d482c9b  (edit the stamp line or the template, then run pgvouch stamp)
create trigger update_workout_sessions_updated_at
  before update on public.workout_sessions
  for each row
  execute function public.update_updated_at_column();
-- end stamp
