drop table public.generation_quota;
