-- check: workout_sets and max_lifts are gone
select to_regclass('public.workout_sets') is null
  and to_regclass('public.max_lifts') is null;
