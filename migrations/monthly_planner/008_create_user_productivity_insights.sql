-- What the history says about a user: one row for each kind of insight, written again and again.
-- depends: 001_create_enums 002_create_users

create table public.user_productivity_insights (
  id serial not null,
  user_id integer not null,
  insight_type public.insight_type not null,
  insight_value_json jsonb not null,
  last_updated timestamp not null default now(),
  constraint user_productivity_insights_pkey primary key (id),
  constraint user_productivity_insights_user_id_users_id_fk
    foreign key (user_id) references public.users (id),
  -- The application's upsert names these two columns. The index serves the foreign key as well.
  constraint user_productivity_insights_user_id_insight_type_unique
    unique (user_id, insight_type)
);

comment on table public.user_productivity_insights is 'AI context data.';
comment on column public.user_productivity_insights.insight_type is
  'E.g., ''PeakEnergy'', ''CompletionRate''.';
comment on column public.user_productivity_insights.insight_value_json is
  'Structured pattern data (e.g., best time slots: [09:00-11:00]).';
comment on column public.user_productivity_insights.last_updated is
  'Timestamp to check staleness of context data.';
