-- check: coding_jobs is gone
select to_regclass('public.coding_jobs') is null;
