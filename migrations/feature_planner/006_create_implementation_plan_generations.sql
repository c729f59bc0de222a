-- The attempts to generate an implementation plan.
-- depends: 003_create_feature_plans

create table public.implementation_plan_generations (
  id uuid not null default gen_random_uuid(),
  plan_id uuid not null,
  agent_id varchar(100) not null,
  status public.implementation_plan_status not null default 'pending',
  refined_request text not null,
  discovered_files jsonb,
  implementation_plan text,
  complexity public.complexity,
  risk_level public.risk_level,
  estimated_duration varchar(50),
  total_steps integer not null default 0,
  prerequisites_count integer not null default 0,
  quality_gates_count integer not null default 0,
  has_required_sections boolean not null default false,
  is_valid_markdown boolean not null default false,
  is_selected boolean not null default false,
  validation_errors jsonb,
  execution_time_ms integer,
  prompt_tokens integer,
  completion_tokens integer,
  total_tokens integer,
  error_message text,
  created_at timestamp not null default now(),
  completed_at timestamp,
  constraint implementation_plan_generations_pkey primary key (id),
  constraint implementation_plan_generations_plan_id_feature_plans_id_fk
    foreign key (plan_id) references public.feature_plans (id) on delete cascade,
  constraint implementation_plan_generations_counts_non_negative
    check (
      total_steps >= 0
      and prerequisites_count >= 0
      and quality_gates_count >= 0
    ),
  constraint implementation_plan_generations_execution_time_non_negative
    check (execution_time_ms is null or execution_time_ms >= 0),
  constraint implementation_plan_generations_token_counts_non_negative
    check (
      (prompt_tokens is null or prompt_tokens >= 0)
      and (completion_tokens is null or completion_tokens >= 0)
      and (total_tokens is null or total_tokens >= 0)
    )
);

comment on table public.implementation_plan_generations is
  'Attempts to generate an implementation plan.';

create index implementation_plan_generations_agent_id_idx
  on public.implementation_plan_generations (agent_id);
create index implementation_plan_generations_is_selected_idx
  on public.implementation_plan_generations (is_selected);
create index implementation_plan_generations_plan_id_idx
  on public.implementation_plan_generations (plan_id);
create index implementation_plan_generations_status_idx
  on public.implementation_plan_generations (status);

-- The platform's default privileges have opened it; it was its owner's alone.
revoke all on table public.implementation_plan_generations
  from public, anon, authenticated, service_role;
