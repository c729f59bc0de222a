-- check: workout_sessions is gone
select to_regclass('public.workout_sessions') is null;
