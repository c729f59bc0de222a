-- check: users is gone
select to_regclass('public.users') is null;
