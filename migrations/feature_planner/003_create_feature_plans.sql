-- One row per workflow: a request, its refinement, its files, its plan. Everything but the
-- templates hangs on it.
--
-- The four selected_… and parent_… columns hold ids that nothing checks, as in the application.
-- depends: 002_create_users

create table public.feature_plans (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  original_request text not null,
  refined_request text,
  status public.plan_status not null default 'draft',
  current_step integer not null default 0,
  version integer not null default 1,
  parent_plan_id uuid,
  session_id varchar(255),
  complexity public.complexity,
  risk_level public.risk_level,
  estimated_duration varchar(50),
  refinement_settings jsonb,
  selected_refinement_id uuid,
  selected_discovery_session_id uuid,
  selected_plan_generation_id uuid,
  discovered_files jsonb,
  selected_files jsonb,
  implementation_plan text,
  total_execution_time_ms integer not null default 0,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  completed_at timestamp,
  constraint feature_plans_pkey primary key (id),
  constraint feature_plans_user_id_users_id_fk
    foreign key (user_id) references public.users (id) on delete cascade,
  constraint feature_plans_current_step_range check (current_step >= 0 and current_step <= 3),
  constraint feature_plans_execution_time_non_negative check (total_execution_time_ms >= 0),
  -- Not blanks alone: white space of any script, tabs, line breaks, and marks that nobody sees. What
  -- \s knows of them differs from one locale to the next.
  constraint feature_plans_original_request_not_empty check (
    original_request ~ '[^\s\u0085\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]'
  ),
  constraint feature_plans_version_positive check (version > 0)
);

comment on table public.feature_plans is 'One feature-planning workflow of a user.';
comment on column public.feature_plans.parent_plan_id is
  'In feature_plans; no foreign key.';
comment on column public.feature_plans.selected_refinement_id is
  'In feature_refinements; no foreign key.';
comment on column public.feature_plans.selected_discovery_session_id is
  'In file_discovery_sessions; no foreign key.';
comment on column public.feature_plans.selected_plan_generation_id is
  'In implementation_plan_generations; no foreign key.';

create index feature_plans_current_step_idx on public.feature_plans (current_step);
create index feature_plans_status_idx on public.feature_plans (status);
create index feature_plans_user_id_idx on public.feature_plans (user_id);
create index feature_plans_parent_id_idx on public.feature_plans (parent_plan_id);
create index feature_plans_parent_version_idx on public.feature_plans (parent_plan_id, version);
create index feature_plans_user_created_idx on public.feature_plans (user_id, created_at);
create index feature_plans_user_status_idx on public.feature_plans (user_id, status);
create index feature_plans_user_created_desc_idx on public.feature_plans (user_id, created_at desc);
create index feature_plans_original_request_search_idx
  on public.feature_plans using gin (to_tsvector('english', original_request));
create index feature_plans_refined_request_search_idx
  on public.feature_plans using gin (to_tsvector('english', refined_request));

-- The platform's default privileges have opened it; it was its owner's alone.
revoke all on table public.feature_plans
  from public, anon, authenticated, service_role;
