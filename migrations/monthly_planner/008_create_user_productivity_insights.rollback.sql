-- lock_timeout: 2s

drop table public.user_productivity_insights;
