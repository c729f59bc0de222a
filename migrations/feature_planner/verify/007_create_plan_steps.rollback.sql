-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: plan_step_templates and plan_steps are gone
select to_regclass('public.plan_step_templates') is null and to_regclass('public.plan_steps') is null;
