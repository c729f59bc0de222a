-- The audit trail: every execution of an agent, with what it was asked and what it answered.
-- depends: 003_create_feature_plans

create table public.plan_execution_logs (
  id uuid not null default gen_random_uuid(),
  plan_id uuid not null,
  parent_log_id uuid,
  parent_tool_use_id varchar(255),
  step public.execution_step not null,
  step_number integer not null,
  agent_type varchar(100) not null,
  agent_model varchar(50),
  agent_level integer not null default 0,
  session_id varchar(255),
  input_prompt text,
  agent_response text,
  is_success boolean not null default true,
  error_message text,
  retry_attempt integer not null default 0,
  start_time timestamp not null,
  end_time timestamp,
  duration_ms integer,
  prompt_tokens integer,
  completion_tokens integer,
  total_tokens integer,
  cache_creation_tokens integer,
  cache_read_tokens integer,
  metadata jsonb,
  created_at timestamp not null default now(),
  constraint plan_execution_logs_pkey primary key (id),
  constraint plan_execution_logs_plan_id_feature_plans_id_fk
    foreign key (plan_id) references public.feature_plans (id) on delete cascade,
  constraint plan_execution_logs_agent_level_non_negative check (agent_level >= 0),
  constraint plan_execution_logs_duration_non_negative
    check (duration_ms is null or duration_ms >= 0),
  constraint plan_execution_logs_retry_attempt_non_negative check (retry_attempt >= 0),
  constraint plan_execution_logs_step_number_range check (step_number >= 1 and step_number <= 3),
  constraint plan_execution_logs_token_counts_non_negative
    check (
      (prompt_tokens is null or prompt_tokens >= 0)
      and (completion_tokens is null or completion_tokens >= 0)
      and (total_tokens is null or total_tokens >= 0)
      and (cache_creation_tokens is null or cache_creation_tokens >= 0)
      and (cache_read_tokens is null or cache_read_tokens >= 0)
    ),
  -- Both are the application's own clock.
  constraint plan_execution_logs_end_not_before_start check (end_time >= start_time)
);

comment on table public.plan_execution_logs is 'Audit trail: every execution, prompt and answer.';
comment on column public.plan_execution_logs.parent_log_id is
  'In plan_execution_logs; no foreign key.';

create index plan_execution_logs_agent_level_idx on public.plan_execution_logs (agent_level);
create index plan_execution_logs_created_at_idx on public.plan_execution_logs (created_at);
create index plan_execution_logs_parent_log_id_idx on public.plan_execution_logs (parent_log_id);
create index plan_execution_logs_plan_id_idx on public.plan_execution_logs (plan_id);
create index plan_execution_logs_session_id_idx on public.plan_execution_logs (session_id);
create index plan_execution_logs_step_idx on public.plan_execution_logs (step);
create index plan_execution_logs_plan_step_idx on public.plan_execution_logs (plan_id, step_number);

-- The platform's default privileges have opened it; it was its owner's alone.
revoke all on table public.plan_execution_logs
  from public, anon, authenticated, service_role;
