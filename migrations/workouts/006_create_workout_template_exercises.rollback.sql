-- lock_timeout: 2s

drop table public.workout_template_exercises;
