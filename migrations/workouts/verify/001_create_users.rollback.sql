-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: users is gone
select to_regclass('public.users') is null;

-- check: both functions are gone
select to_regprocedure('public.generate_invite_code()') is null
  and to_regprocedure('public.update_updated_at_column()') is null;
