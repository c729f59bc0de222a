drop function public.scheduled_workout_status(date, uuid, date);
drop table public.scheduled_workouts;
