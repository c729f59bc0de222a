-- What became of a task, as often as it was tried.
-- depends: 006_create_plan_tasks

create table public.user_activity_history (
  id serial not null,
  user_id integer not null,
  task_id integer not null,
  actual_start_time timestamp,
  actual_end_time timestamp,
  duration_deviation integer,
  was_completed boolean not null,
  logged_at timestamp not null default now(),
  constraint user_activity_history_pkey primary key (id),
  constraint user_activity_history_user_id_users_id_fk
    foreign key (user_id) references public.users (id),
  constraint user_activity_history_task_id_plan_tasks_id_fk
    foreign key (task_id) references public.plan_tasks (id)
);

comment on table public.user_activity_history is 'Input for AI personalization.';
comment on column public.user_activity_history.task_id is
  'Tracks execution of a specific task instance.';
comment on column public.user_activity_history.actual_start_time is
  'Used to calculate accurate session duration.';
comment on column public.user_activity_history.duration_deviation is
  'Difference (in minutes) between planned and actual duration.';
comment on column public.user_activity_history.was_completed is
  'Crucial for calculating historical completion rates.';

create index idx_user_activity_history_user_logged
  on public.user_activity_history (user_id, logged_at);
create index idx_user_activity_history_task_id on public.user_activity_history (task_id);
