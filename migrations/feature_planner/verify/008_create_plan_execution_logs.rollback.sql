-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: plan_execution_logs is gone
select to_regclass('public.plan_execution_logs') is null;
