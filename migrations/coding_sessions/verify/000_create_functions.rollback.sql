-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: the function is gone
select to_regprocedure('public.update_updated_at()') is null;
