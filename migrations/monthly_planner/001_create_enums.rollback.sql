drop type public.insight_type;
drop type public.weekend_preference;
drop type public.complexity;
