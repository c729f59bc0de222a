drop table public.exercises;
