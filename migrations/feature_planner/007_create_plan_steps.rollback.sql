-- lock_timeout: 2s

drop table public.plan_steps;
drop table public.plan_step_templates;
