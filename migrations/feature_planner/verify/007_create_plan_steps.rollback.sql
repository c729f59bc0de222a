-- check: plan_step_templates and plan_steps are gone
select to_regclass('public.plan_step_templates') is null
  and to_regclass('public.plan_steps') is null;
