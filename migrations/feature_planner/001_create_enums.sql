-- The lists of values that the planner knows, all eleven as they were at the time of the move.
-- Their order is the order in which they sort: priorities from critical, complexity from low.

create type public.complexity as enum ('low', 'medium', 'high');

comment on type public.complexity is 'How complex a feature is.';

create type public.execution_step as enum ('refinement', 'discovery', 'planning');

comment on type public.execution_step is 'The step of the workflow that a log is of.';

create type public.file_discovery_status as enum ('pending', 'processing', 'completed', 'failed');

comment on type public.file_discovery_status is 'How far a file discovery has come.';

create type public.file_priority as enum ('critical', 'high', 'medium', 'low');

comment on type public.file_priority is 'How much a file matters to the feature.';

create type public.implementation_plan_status as enum (
  'pending',
  'processing',
  'completed',
  'failed'
);

comment on type public.implementation_plan_status is 'How far the generation of a plan has come.';

create type public.plan_status as enum (
  'draft',
  'refining',
  'discovering',
  'planning',
  'completed',
  'failed',
  'cancelled'
);

comment on type public.plan_status is 'How far a feature plan has come.';

create type public.refinement_status as enum (
  'pending',
  'processing',
  'completed',
  'failed',
  'cancelled'
);

comment on type public.refinement_status is 'How far a refinement has come.';

create type public.risk_level as enum ('low', 'medium', 'high');

comment on type public.risk_level is 'How risky a feature is.';

create type public.confidence_level as enum ('high', 'medium', 'low');

comment on type public.confidence_level is 'How sure a refinement is of itself.';

create type public.estimated_scope as enum ('small', 'medium', 'large');

comment on type public.estimated_scope is 'How large a refinement takes the feature to be.';

create type public.technical_complexity as enum ('high', 'medium', 'low');

comment on type public.technical_complexity is 'How complex a refinement takes the feature to be.';
