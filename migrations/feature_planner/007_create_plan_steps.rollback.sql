drop table public.plan_steps;
drop table public.plan_step_templates;
