-- check: feature_refinements is gone
select to_regclass('public.feature_refinements') is null;
