-- check: feature_plans is gone
select to_regclass('public.feature_plans') is null;
