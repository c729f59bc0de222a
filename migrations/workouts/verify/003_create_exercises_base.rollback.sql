-- check: exercises is gone
select to_regclass('public.exercises') is null;
