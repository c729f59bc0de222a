-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: the eleven types are gone
select bool_and(to_regtype('public.' || name) is null)
from unnest(array[
  'complexity', 'execution_step', 'file_discovery_status', 'file_priority', 'implementation_plan_status',
  'plan_status', 'refinement_status', 'risk_level', 'confidence_level', 'estimated_scope', 'technical_complexity'
]) as name;
