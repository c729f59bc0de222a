drop table public.feature_plans;
