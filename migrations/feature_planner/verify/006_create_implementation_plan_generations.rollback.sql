-- check: implementation_plan_generations is gone
select to_regclass('public.implementation_plan_generations') is null;
