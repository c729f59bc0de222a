-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: user_goals_and_preferences is gone, with its sequence
select to_regclass('public.user_goals_and_preferences') is null
  and to_regclass('public.user_goals_and_preferences_id_seq') is null;
