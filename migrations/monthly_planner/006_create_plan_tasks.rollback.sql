drop table public.plan_tasks;
