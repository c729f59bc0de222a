drop table public.user_goals_and_preferences;
