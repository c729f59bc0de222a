drop table public.feature_refinements;
