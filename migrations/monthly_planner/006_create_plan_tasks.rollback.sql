-- lock_timeout: 2s

drop table public.plan_tasks;
