-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: complexity sorts from Simple to Ambitious
select 'Simple'::public.complexity < 'Balanced' and 'Balanced'::public.complexity < 'Ambitious';

-- check error 22P02: complexity in the wrong case
select 'simple'::public.complexity;

-- check error 22P02: complexity with a space behind it
select 'Simple '::public.complexity;

-- check error 22P02: complexity that is empty
select ''::public.complexity;

-- check: weekend_preference sorts from Work to Mixed
select 'Work'::public.weekend_preference < 'Rest' and 'Rest'::public.weekend_preference < 'Mixed';

-- check error 22P02: weekend_preference in the wrong case
select 'work'::public.weekend_preference;

-- check error 22P02: weekend_preference with a space behind it
select 'Work '::public.weekend_preference;

-- check error 22P02: weekend_preference that is empty
select ''::public.weekend_preference;

-- check: insight_type sorts from PeakEnergy to Challenges
select 'PeakEnergy'::public.insight_type < 'CompletionRate' and 'SessionDuration'::public.insight_type < 'Challenges';

-- check error 22P02: insight_type in the wrong case
select 'peakenergy'::public.insight_type;

-- check error 22P02: insight_type with a space behind it
select 'PeakEnergy '::public.insight_type;

-- check error 22P02: insight_type that is empty
select ''::public.insight_type;
