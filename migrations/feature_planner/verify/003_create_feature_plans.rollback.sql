-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: feature_plans is gone
select to_regclass('public.feature_plans') is null;
