-- lock_timeout: 2s

drop table public.workout_session_exercises;
