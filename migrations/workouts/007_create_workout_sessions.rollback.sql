drop table public.workout_sessions;
