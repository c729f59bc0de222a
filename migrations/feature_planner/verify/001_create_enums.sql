-- The types are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;

-- check: complexity is these values, in this order
select enum_range(null::complexity)::text[] = array['low', 'medium', 'high'];

-- check: execution_step is these values, in this order
select enum_range(null::execution_step)::text[] = array['refinement', 'discovery', 'planning'];

-- check: file_discovery_status is these values, in this order
select enum_range(null::file_discovery_status)::text[] = array[
  'pending',
  'processing',
  'completed',
  'failed'
];

-- check: file_priority is these values, in this order
select enum_range(null::file_priority)::text[] = array['critical', 'high', 'medium', 'low'];

-- check: implementation_plan_status is these values, in this order
select enum_range(null::implementation_plan_status)::text[] = array[
  'pending',
  'processing',
  'completed',
  'failed'
];

-- check: plan_status is these values, in this order
select enum_range(null::plan_status)::text[] = array[
  'draft',
  'refining',
  'discovering',
  'planning',
  'completed',
  'failed',
  'cancelled'
];

-- check: refinement_status is these values, in this order
select enum_range(null::refinement_status)::text[] = array[
  'pending',
  'processing',
  'completed',
  'failed',
  'cancelled'
];

-- check: risk_level is these values, in this order
select enum_range(null::risk_level)::text[] = array['low', 'medium', 'high'];

-- check: confidence_level is these values, in this order
select enum_range(null::confidence_level)::text[] = array['high', 'medium', 'low'];

-- check: estimated_scope is these values, in this order
select enum_range(null::estimated_scope)::text[] = array['small', 'medium', 'large'];

-- check: technical_complexity is these values, in this order
select enum_range(null::technical_complexity)::text[] = array['high', 'medium', 'low'];

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

-- check none: a type that does not say what it is
select name
from unnest(array[
  'complexity',
  'execution_step',
  'file_discovery_status',
  'file_priority',
  'implementation_plan_status',
  'plan_status',
  'refinement_status',
  'risk_level',
  'confidence_level',
  'estimated_scope',
  'technical_complexity'
]) as name
where coalesce(obj_description(name::regtype, 'pg_type'), '') = '';

-- check: one owner has the eleven types
select count(*) = 11 and count(distinct typowner) = 1
from pg_catalog.pg_type
where oid = any (array[
  'complexity',
  'execution_step',
  'file_discovery_status',
  'file_priority',
  'implementation_plan_status',
  'plan_status',
  'refinement_status',
  'risk_level',
  'confidence_level',
  'estimated_scope',
  'technical_complexity'
]::regtype[]);

-- check none: a list that is in feature_planner already, for the tables have moved and nobody has recorded it
-- until: 010_move_to_feature_planner
select typname
from pg_catalog.pg_type
where typnamespace = to_regnamespace('feature_planner')
  and typname in (
    'complexity',
    'execution_step',
    'file_discovery_status',
    'file_priority',
    'implementation_plan_status',
    'plan_status',
    'refinement_status',
    'risk_level',
    'confidence_level',
    'estimated_scope',
    'technical_complexity'
  );
