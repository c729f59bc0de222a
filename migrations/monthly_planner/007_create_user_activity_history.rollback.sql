drop table public.user_activity_history;
