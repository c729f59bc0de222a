-- The activities of a plan, each with its place in the calendar.
-- depends: 005_create_monthly_plans

create table public.plan_tasks (
  id serial not null,
  plan_id integer not null,
  task_description text not null,
  focus_area varchar(50) not null,
  start_time timestamp not null,
  end_time timestamp not null,
  difficulty_level varchar(20),
  scheduling_reason varchar(100),
  is_completed boolean not null default false,
  constraint plan_tasks_pkey primary key (id),
  constraint plan_tasks_plan_id_monthly_plans_id_fk
    foreign key (plan_id) references public.monthly_plans (id),
  constraint plan_tasks_end_time_check check (end_time > start_time)
);

comment on table public.plan_tasks is 'Individual scheduled activities.';
comment on column public.plan_tasks.start_time is 'The specific scheduled date and time.';
comment on column public.plan_tasks.difficulty_level is
  'AI-assigned difficulty based on history.';
comment on column public.plan_tasks.scheduling_reason is
  'Explanation for timing (e.g., ''Peak Energy Window'').';
comment on column public.plan_tasks.is_completed is
  'User tracking for the in-app calendar view.';

create index idx_plan_tasks_plan_start on public.plan_tasks (plan_id, start_time);
