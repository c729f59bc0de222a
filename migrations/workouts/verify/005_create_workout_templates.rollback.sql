-- check: workout_templates is gone
select to_regclass('public.workout_templates') is null;
