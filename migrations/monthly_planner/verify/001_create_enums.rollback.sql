-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: complexity is gone
select to_regtype('public.complexity') is null;

-- check: weekend_preference is gone
select to_regtype('public.weekend_preference') is null;

-- check: insight_type is gone
select to_regtype('public.insight_type') is null;
