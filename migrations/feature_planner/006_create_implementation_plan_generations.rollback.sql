-- lock_timeout: 2s

drop table public.implementation_plan_generations;
