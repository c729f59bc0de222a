-- check: learning_plans is gone
select to_regclass('public.learning_plans') is null;
