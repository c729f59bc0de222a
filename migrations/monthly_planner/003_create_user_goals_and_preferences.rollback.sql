-- lock_timeout: 2s

drop table public.user_goals_and_preferences;
