drop table public.user_productivity_insights;
