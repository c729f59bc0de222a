-- check: plan_execution_logs is gone
select to_regclass('public.plan_execution_logs') is null;
