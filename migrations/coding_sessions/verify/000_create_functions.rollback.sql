-- check: both functions are gone
select to_regprocedure('public.handle_new_user()') is null
  and to_regprocedure('public.update_updated_at()') is null;
