-- lock_timeout: 2s

drop table public.plan_execution_logs;
