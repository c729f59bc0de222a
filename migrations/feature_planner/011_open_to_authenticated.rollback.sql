-- Rights travel with a table, so they are taken back here, before the way back to public.
-- lock_timeout: 500ms

alter default privileges in schema feature_planner
  revoke usage on sequences from authenticated;

alter default privileges in schema feature_planner
  revoke select, insert, update, delete on tables from authenticated;

revoke select, insert, update, delete
  on table
    feature_planner.feature_plans,
    feature_planner.feature_refinements,
    feature_planner.file_discovery_sessions,
    feature_planner.discovered_files,
    feature_planner.implementation_plan_generations,
    feature_planner.plan_steps,
    feature_planner.plan_step_templates,
    feature_planner.plan_execution_logs
  from authenticated;

drop policy plan_execution_logs_own on feature_planner.plan_execution_logs;
drop policy plan_step_templates_public on feature_planner.plan_step_templates;
drop policy plan_step_templates_own on feature_planner.plan_step_templates;
drop policy plan_steps_own on feature_planner.plan_steps;
drop policy implementation_plan_generations_own
  on feature_planner.implementation_plan_generations;
drop policy discovered_files_added_by_caller on feature_planner.discovered_files;
drop policy discovered_files_own on feature_planner.discovered_files;
drop policy file_discovery_sessions_own on feature_planner.file_discovery_sessions;
drop policy feature_refinements_own on feature_planner.feature_refinements;
drop policy feature_plans_own on feature_planner.feature_plans;

alter table feature_planner.feature_plans disable row level security;
alter table feature_planner.feature_refinements disable row level security;
alter table feature_planner.file_discovery_sessions disable row level security;
alter table feature_planner.discovered_files disable row level security;
alter table feature_planner.implementation_plan_generations disable row level security;
alter table feature_planner.plan_steps disable row level security;
alter table feature_planner.plan_step_templates disable row level security;
alter table feature_planner.plan_execution_logs disable row level security;

drop function feature_planner.caller_id();

revoke usage on schema feature_planner from authenticated;
