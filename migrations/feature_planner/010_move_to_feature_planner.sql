-- The move: what belongs to the planner goes from public into a schema of its own.
--
-- `set schema` writes a few rows of the catalog, whatever the tables hold: data, indexes, constraints,
-- triggers, defaults, rights and comments stay with their table, and references go by identity, not
-- by name. The design's own way (create anew, insert … select, drop) writes everything again.
-- depends: 008_create_plan_execution_logs 009_complete_the_tables
--
-- All eight tables are locked first, parents before children, as in the application's own
-- transactions. From then on nobody writes, so that every row can be hashed before the move and after
-- it (verify/010_move_to_feature_planner.sql). Users is not locked at all.
-- lock_tables: public.feature_plans, public.feature_refinements, public.file_discovery_sessions
-- lock_tables: public.discovered_files, public.implementation_plan_generations, public.plan_steps
-- lock_tables: public.plan_step_templates, public.plan_execution_logs
--
-- While it waits for a lock, everybody who comes after waits behind it. So it waits half a second for
-- all of them together, gives way, and is run again. For a second table it waits only a tenth of that
-- before it lets go of the first: should it and an application hold what the other wants, it is the
-- move that lets go, long before deadlock_timeout (1 s).
-- lock_timeout: 500ms

-- Without `if not exists`: a schema of this name that is there already is somebody else's.
create schema feature_planner;

comment on schema feature_planner is
  'The feature planner, a development tool: nothing outside refers to it, and it can be dropped '
  'whole.';

-- Under psql, which knows no `lock_tables`, each of these takes the lock on its own table: the same
-- order, and no comparison.
alter table public.feature_plans set schema feature_planner;
alter table public.feature_refinements set schema feature_planner;
alter table public.file_discovery_sessions set schema feature_planner;
alter table public.discovered_files set schema feature_planner;
alter table public.implementation_plan_generations set schema feature_planner;
alter table public.plan_steps set schema feature_planner;
alter table public.plan_step_templates set schema feature_planner;
alter table public.plan_execution_logs set schema feature_planner;

-- A column refers to its type by identity, so either may go first.
alter type public.complexity set schema feature_planner;
alter type public.confidence_level set schema feature_planner;
alter type public.estimated_scope set schema feature_planner;
alter type public.execution_step set schema feature_planner;
alter type public.file_discovery_status set schema feature_planner;
alter type public.file_priority set schema feature_planner;
alter type public.implementation_plan_status set schema feature_planner;
alter type public.plan_status set schema feature_planner;
alter type public.refinement_status set schema feature_planner;
alter type public.risk_level set schema feature_planner;
alter type public.technical_complexity set schema feature_planner;

-- A trigger moves with its table, its function does not. A sequence that a column owns would.
alter function public.touch_updated_at() set schema feature_planner;
