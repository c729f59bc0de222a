-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: feature_refinements is gone
select to_regclass('public.feature_refinements') is null;
