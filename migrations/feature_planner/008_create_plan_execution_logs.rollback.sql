drop table public.plan_execution_logs;
