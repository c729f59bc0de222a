drop table public.workout_template_exercises;
