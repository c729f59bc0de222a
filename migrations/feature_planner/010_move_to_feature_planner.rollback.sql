-- The way back is the same move: nothing is copied, and rows written since come along.
-- lock_tables: feature_planner.feature_plans, feature_planner.feature_refinements
-- lock_tables: feature_planner.file_discovery_sessions, feature_planner.discovered_files
-- lock_tables: feature_planner.implementation_plan_generations, feature_planner.plan_steps
-- lock_tables: feature_planner.plan_step_templates, feature_planner.plan_execution_logs
-- lock_timeout: 500ms

alter table feature_planner.feature_plans set schema public;
alter table feature_planner.feature_refinements set schema public;
alter table feature_planner.file_discovery_sessions set schema public;
alter table feature_planner.discovered_files set schema public;
alter table feature_planner.implementation_plan_generations set schema public;
alter table feature_planner.plan_steps set schema public;
alter table feature_planner.plan_step_templates set schema public;
alter table feature_planner.plan_execution_logs set schema public;

alter type feature_planner.complexity set schema public;
alter type feature_planner.confidence_level set schema public;
alter type feature_planner.estimated_scope set schema public;
alter type feature_planner.execution_step set schema public;
alter type feature_planner.file_discovery_status set schema public;
alter type feature_planner.file_priority set schema public;
alter type feature_planner.implementation_plan_status set schema public;
alter type feature_planner.plan_status set schema public;
alter type feature_planner.refinement_status set schema public;
alter type feature_planner.risk_level set schema public;
alter type feature_planner.technical_complexity set schema public;

alter function feature_planner.touch_updated_at() set schema public;

-- Without cascade: whatever else is in it by now stops the rollback.
drop schema feature_planner;
