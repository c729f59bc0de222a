drop table public.workout_templates;
