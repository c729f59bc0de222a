-- The calendar: what a user has planned for a day, several entries of one day included. An entry
-- outlives its template and its session.
-- depends: 007_create_workout_sessions

create table public.scheduled_workouts (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  template_id uuid,
  scheduled_date date not null,
  title varchar(100),
  notes text,
  completed_session_id uuid,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint scheduled_workouts_pkey primary key (id),
  constraint scheduled_workouts_user_id_fkey
    foreign key (user_id) references public.users (id) on delete cascade,
  constraint scheduled_workouts_template_id_fkey
    foreign key (template_id) references public.workout_templates (id) on delete set null,
  constraint scheduled_workouts_completed_session_id_fkey
    foreign key (completed_session_id) references public.workout_sessions (id) on delete set null
);

comment on table public.scheduled_workouts is 'What is planned for a day.';
comment on column public.scheduled_workouts.template_id is
  'Empty for a day of rest, a block without a template, or a template that has gone.';
comment on column public.scheduled_workouts.title is 'Empty is the name of the template.';
comment on column public.scheduled_workouts.completed_session_id is
  'Empty until a session is started from this entry, and again when that is deleted.';

create index idx_scheduled_user_id on public.scheduled_workouts (user_id);
create index idx_scheduled_date on public.scheduled_workouts (scheduled_date);
create index idx_scheduled_template_id on public.scheduled_workouts (template_id);
create index idx_scheduled_session_id on public.scheduled_workouts (completed_session_id);
-- The calendar's own.
create index idx_scheduled_user_date on public.scheduled_workouts (user_id, scheduled_date);

-- stamp: updated_at_trigger(table="scheduled_workouts", function="update_updated_at_column",
--   name="update_scheduled_workouts_updated_at")
-- stamped: updated_at_trigger sha256:9e246dbc32ef7cc1  (edit the stamp line or the template, then run pgvouch stamp)
create trigger update_scheduled_workouts_updated_at
  before update on public.scheduled_workouts
  for each row
  execute function public.update_updated_at_column();
-- end stamp

-- Never stored, for it changes at midnight. The day can be given, so that a client may ask for its
-- own time zone, and a test for any day.
create function public.scheduled_workout_status(
  scheduled_date date,
  completed_session_id uuid,
  today date default current_date
)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when completed_session_id is not null then 'completed'
    when scheduled_date >= today then 'planned'
    when scheduled_date < today then 'missed'
  end
$$;

comment on function public.scheduled_workout_status(date, uuid, date) is
  'An entry of the calendar is completed, planned (for today or later) or missed.';

revoke execute on function public.scheduled_workout_status(date, uuid, date) from public;
