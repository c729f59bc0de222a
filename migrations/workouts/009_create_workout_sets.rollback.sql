drop table public.max_lifts;
drop table public.workout_sets;
