-- The types are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;

-- check: priorities sort from critical to low, complexity from low to high
select 'critical'::file_priority < 'high' and 'medium'::file_priority < 'low'
  and 'low'::complexity < 'high' and 'high'::technical_complexity < 'low';

-- check error 22P02: a value of one list in another
select 'cancelled'::file_discovery_status;

-- check error 22P02: a value in the wrong case
select 'Draft'::plan_status;

-- check error 42804: a status of one list where another is wanted, though both say pending
create temporary table step (status refinement_status);
insert into step select 'pending'::file_discovery_status;

-- check none: a list that is in feature_planner already, for the tables have moved and nobody has recorded it
-- until: 010_move_to_feature_planner
select typname
from pg_catalog.pg_type
where typnamespace = to_regnamespace('feature_planner')
  and typname in (
    'complexity', 'execution_step', 'file_discovery_status', 'file_priority', 'implementation_plan_status',
    'plan_status', 'refinement_status', 'risk_level', 'confidence_level', 'estimated_scope', 'technical_complexity'
  );
