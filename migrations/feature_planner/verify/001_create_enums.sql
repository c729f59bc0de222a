-- The types are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;

-- check none: a list that is in feature_planner already, for the tables have moved and nobody has recorded it
-- until: 010_move_to_feature_planner
select typname
from pg_catalog.pg_type
where typnamespace = to_regnamespace('feature_planner')
  and typname in (
    'complexity', 'execution_step', 'file_discovery_status', 'file_priority', 'implementation_plan_status',
    'plan_status', 'refinement_status', 'risk_level', 'confidence_level', 'estimated_scope', 'technical_complexity'
  );

-- check: each list has these values, in this order
set local search_path = pg_catalog, pg_temp;
select array_agg(listed.values order by listed.values collate "C") = array[
  'complexity: low medium high',
  'confidence_level: high medium low',
  'estimated_scope: small medium large',
  'execution_step: refinement discovery planning',
  'file_discovery_status: pending processing completed failed',
  'file_priority: critical high medium low',
  'implementation_plan_status: pending processing completed failed',
  'plan_status: draft refining discovering planning completed failed cancelled',
  'refinement_status: pending processing completed failed cancelled',
  'risk_level: low medium high',
  'technical_complexity: high medium low'
]
from (
  select t.typname || ': ' || string_agg(e.enumlabel, ' ' order by e.enumsortorder)
  from pg_catalog.pg_type as t
  join pg_catalog.pg_enum as e on e.enumtypid = t.oid
  where t.typname = any ('{complexity,confidence_level,estimated_scope,execution_step,file_discovery_status,file_priority,implementation_plan_status,plan_status,refinement_status,risk_level,technical_complexity}') and t.typnamespace in (to_regnamespace('public'), to_regnamespace('feature_planner'))
  group by t.typname
) as listed (values);

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
