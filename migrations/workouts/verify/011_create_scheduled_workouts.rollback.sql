-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: scheduled_workouts is gone
select to_regclass('public.scheduled_workouts') is null;

-- check: the function of the status is gone
select to_regprocedure('public.scheduled_workout_status(date, uuid, date)') is null;
