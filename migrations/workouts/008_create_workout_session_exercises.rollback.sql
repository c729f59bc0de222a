drop table public.workout_session_exercises;
