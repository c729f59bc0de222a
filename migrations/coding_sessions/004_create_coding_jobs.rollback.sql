-- Its policies, indexes, trigger and grants go with it.
drop table public.coding_jobs;
