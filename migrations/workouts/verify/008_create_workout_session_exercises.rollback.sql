-- check: workout_session_exercises is gone
select to_regclass('public.workout_session_exercises') is null;
