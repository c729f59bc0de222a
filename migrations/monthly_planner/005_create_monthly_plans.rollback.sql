drop table public.monthly_plans;
