-- check: import_jobs is gone
select to_regclass('public.import_jobs') is null;
