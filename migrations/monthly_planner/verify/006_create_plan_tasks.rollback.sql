-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: plan_tasks is gone, with its sequence
select to_regclass('public.plan_tasks') is null and to_regclass('public.plan_tasks_id_seq') is null;
