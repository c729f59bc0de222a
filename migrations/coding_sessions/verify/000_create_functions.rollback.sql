-- check: the function is gone
select to_regprocedure('public.update_updated_at()') is null;
