-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: workout_session_exercises is gone
select to_regclass('public.workout_session_exercises') is null;
