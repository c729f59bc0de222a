-- lock_timeout: 2s

drop table public.user_activity_history;
