-- What a user asks of a plan. Every saving is a new row, so that a plan can name the one it was made
-- from. The foreign key locks users against writes for a moment.
-- depends: 001_create_enums 002_create_users

create table public.user_goals_and_preferences (
  id serial not null,
  user_id integer not null,
  goals_text text not null,
  task_complexity public.complexity not null,
  focus_areas varchar(150) not null,
  weekend_preference public.weekend_preference not null,
  fixed_commitments_json jsonb not null,
  input_saved_at timestamp not null default now(),
  constraint user_goals_and_preferences_pkey primary key (id),
  constraint user_goals_and_preferences_user_id_users_id_fk
    foreign key (user_id) references public.users (id)
);

comment on table public.user_goals_and_preferences is 'Planning input data.';
comment on column public.user_goals_and_preferences.task_complexity is
  'Influences the AI''s selection of task size/difficulty.';
comment on column public.user_goals_and_preferences.focus_areas is
  'Stored as a comma-separated string or JSON array.';
comment on column public.user_goals_and_preferences.fixed_commitments_json is
  'Structured weekly recurring busy slots for the AI to avoid.';

-- The newest input of a user is the first entry of the user.
create index idx_user_goals_and_preferences_user_saved
  on public.user_goals_and_preferences (user_id, input_saved_at desc);
