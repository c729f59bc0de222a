-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: workout_sets and max_lifts are gone
select to_regclass('public.workout_sets') is null and to_regclass('public.max_lifts') is null;
