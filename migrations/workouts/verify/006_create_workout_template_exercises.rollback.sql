-- check: workout_template_exercises is gone
select to_regclass('public.workout_template_exercises') is null;
