drop table public.import_jobs;
