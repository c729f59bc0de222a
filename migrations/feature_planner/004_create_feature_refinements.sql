-- The attempts to refine a request. Agents work on it side by side; the user selects one result.
-- depends: 003_create_feature_plans

create table public.feature_refinements (
  id uuid not null default gen_random_uuid(),
  plan_id uuid not null,
  agent_id varchar(100) not null,
  agent_model varchar(50) not null default 'sonnet',
  status public.refinement_status not null default 'pending',
  input_request text not null,
  refined_request text,
  word_count integer,
  character_count integer,
  expansion_ratio integer,
  is_valid_format boolean not null default false,
  validation_errors jsonb,
  retry_count integer not null default 0,
  execution_time_ms integer,
  prompt_tokens integer,
  completion_tokens integer,
  total_tokens integer,
  error_message text,
  created_at timestamp not null default now(),
  completed_at timestamp,
  agent_name varchar(100),
  agent_role varchar(100),
  assumptions jsonb,
  confidence public.confidence_level,
  estimated_scope public.estimated_scope,
  focus text,
  key_requirements jsonb,
  risks jsonb,
  technical_complexity public.technical_complexity,
  constraint feature_refinements_pkey primary key (id),
  constraint feature_refinements_plan_id_feature_plans_id_fk
    foreign key (plan_id) references public.feature_plans (id) on delete cascade,
  constraint feature_refinements_character_count_non_negative
    check (character_count is null or character_count >= 0),
  constraint feature_refinements_execution_time_non_negative
    check (execution_time_ms is null or execution_time_ms >= 0),
  constraint feature_refinements_expansion_ratio_positive
    check (expansion_ratio is null or expansion_ratio > 0),
  constraint feature_refinements_retry_count_non_negative check (retry_count >= 0),
  constraint feature_refinements_token_counts_non_negative
    check (
      (prompt_tokens is null or prompt_tokens >= 0)
      and (completion_tokens is null or completion_tokens >= 0)
      and (total_tokens is null or total_tokens >= 0)
    ),
  constraint feature_refinements_word_count_non_negative
    check (word_count is null or word_count >= 0)
);

comment on table public.feature_refinements is
  'Attempts to refine a request; several may run at once.';

create index feature_refinements_agent_id_idx on public.feature_refinements (agent_id);
create index feature_refinements_plan_id_idx on public.feature_refinements (plan_id);
create index feature_refinements_status_idx on public.feature_refinements (status);
create index feature_refinements_plan_status_idx on public.feature_refinements (plan_id, status);

-- The platform's default privileges have opened it; it was its owner's alone.
revoke all on table public.feature_refinements
  from public, anon, authenticated, service_role;
