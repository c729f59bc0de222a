-- lock_timeout: 2s

drop table public.import_jobs;
