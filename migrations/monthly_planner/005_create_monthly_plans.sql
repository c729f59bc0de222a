-- A plan as the AI gave it. A month can be planned again, so user and month are not unique.
-- depends: 003_create_user_goals_and_preferences

create table public.monthly_plans (
  id serial not null,
  user_id integer not null,
  preference_id integer not null,
  month_year date not null,
  ai_prompt text not null,
  ai_response_raw jsonb not null,
  monthly_summary text,
  generated_at timestamp not null default now(),
  constraint monthly_plans_pkey primary key (id),
  constraint monthly_plans_user_id_users_id_fk
    foreign key (user_id) references public.users (id),
  constraint monthly_plans_preference_id_user_goals_and_preferences_id_fk
    foreign key (preference_id) references public.user_goals_and_preferences (id)
);

comment on table public.monthly_plans is 'AI generated plan summary.';
comment on column public.monthly_plans.preference_id is 'Links the plan to the exact input used.';
comment on column public.monthly_plans.ai_prompt is
  'Stores the full context/prompt for debugging and audit.';
comment on column public.monthly_plans.ai_response_raw is
  'Stores the full JSON output from the AI (including weekly_breakdown, etc.).';
comment on column public.monthly_plans.monthly_summary is 'Extracted for easy display.';

-- The plans of a user's month come in the order in which they were made, either end first.
create index idx_monthly_plans_user_month
  on public.monthly_plans (user_id, month_year, generated_at);
create index idx_monthly_plans_preference_id on public.monthly_plans (preference_id);
