-- lock_timeout: 2s

drop table public.generation_quota;
