-- The three lists of values that the planner knows. Their order is the order in which they sort.

create type public.complexity as enum ('Simple', 'Balanced', 'Ambitious');

comment on type public.complexity is 'How demanding the tasks of a plan may be.';

create type public.weekend_preference as enum ('Work', 'Rest', 'Mixed');

comment on type public.weekend_preference is 'What a user wants of the weekends in a plan.';

create type public.insight_type as enum (
  'PeakEnergy',
  'CompletionRate',
  'SessionDuration',
  'Challenges'
);

comment on type public.insight_type is 'What an insight is about; the shape of its value follows.';
