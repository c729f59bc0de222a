drop type public.generation_status;
drop type public.learning_style;
drop type public.skill_level;
