-- The runs of file discovery, and the files that each found or the user added by hand.
-- depends: 003_create_feature_plans

create table public.file_discovery_sessions (
  id uuid not null default gen_random_uuid(),
  plan_id uuid not null,
  agent_id varchar(100) not null,
  status public.file_discovery_status not null default 'pending',
  refined_request text not null,
  architecture_insights text,
  discovered_files jsonb,
  is_selected boolean not null default false,
  total_files_found integer not null default 0,
  critical_priority_count integer not null default 0,
  high_priority_count integer not null default 0,
  medium_priority_count integer not null default 0,
  low_priority_count integer not null default 0,
  execution_time_ms integer,
  prompt_tokens integer,
  completion_tokens integer,
  total_tokens integer,
  error_message text,
  created_at timestamp not null default now(),
  completed_at timestamp,
  constraint file_discovery_sessions_pkey primary key (id),
  constraint file_discovery_sessions_plan_id_feature_plans_id_fk
    foreign key (plan_id) references public.feature_plans (id) on delete cascade,
  constraint file_discovery_sessions_counts_non_negative
    check (
      critical_priority_count >= 0
      and high_priority_count >= 0
      and medium_priority_count >= 0
      and low_priority_count >= 0
    ),
  constraint file_discovery_sessions_execution_time_non_negative
    check (execution_time_ms is null or execution_time_ms >= 0),
  constraint file_discovery_sessions_token_counts_non_negative
    check (
      (prompt_tokens is null or prompt_tokens >= 0)
      and (completion_tokens is null or completion_tokens >= 0)
      and (total_tokens is null or total_tokens >= 0)
    ),
  constraint file_discovery_sessions_total_files_non_negative check (total_files_found >= 0)
);

comment on table public.file_discovery_sessions is 'Runs of file discovery for a plan.';

create index file_discovery_sessions_agent_id_idx on public.file_discovery_sessions (agent_id);
create index file_discovery_sessions_is_selected_idx
  on public.file_discovery_sessions (is_selected);
create index file_discovery_sessions_plan_id_idx on public.file_discovery_sessions (plan_id);
create index file_discovery_sessions_status_idx on public.file_discovery_sessions (status);

-- The platform's default privileges have opened it; it was its owner's alone.
revoke all on table public.file_discovery_sessions
  from public, anon, authenticated, service_role;

create table public.discovered_files (
  id uuid not null default gen_random_uuid(),
  discovery_session_id uuid not null,
  added_by_user_id uuid,
  file_path varchar(500) not null,
  file_type varchar(50),
  file_exists boolean not null default true,
  priority public.file_priority not null,
  relevance_score integer not null default 0,
  role varchar(100),
  description text,
  reasoning text,
  integration_point varchar(1000),
  lines_of_code integer,
  is_manually_added boolean not null default false,
  is_selected boolean not null default false,
  created_at timestamp not null default now(),
  constraint discovered_files_pkey primary key (id),
  constraint discovered_files_added_by_user_id_users_id_fk
    foreign key (added_by_user_id) references public.users (id),
  constraint discovered_files_discovery_session_fk
    foreign key (discovery_session_id)
    references public.file_discovery_sessions (id) on delete cascade,
  constraint discovered_files_lines_of_code_positive
    check (lines_of_code is null or lines_of_code > 0),
  constraint discovered_files_relevance_score_range
    check (relevance_score >= 0 and relevance_score <= 100)
);

comment on table public.discovered_files is
  'Files that a discovery found or somebody added by hand.';

create index discovered_files_discovery_session_id_idx
  on public.discovered_files (discovery_session_id);
create index discovered_files_file_path_idx on public.discovered_files (file_path);
create index discovered_files_is_manually_added_idx on public.discovered_files (is_manually_added);
create index discovered_files_is_selected_idx on public.discovered_files (is_selected);
create index discovered_files_priority_idx on public.discovered_files (priority);
create index discovered_files_session_priority_idx
  on public.discovered_files (discovery_session_id, priority);

-- The platform's default privileges have opened it; it was its owner's alone.
revoke all on table public.discovered_files
  from public, anon, authenticated, service_role;
