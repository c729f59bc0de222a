-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: monthly_plans is gone, with its sequence
select to_regclass('public.monthly_plans') is null and to_regclass('public.monthly_plans_id_seq') is null;
