-- check: the three types are gone
select to_regtype('public.skill_level') is null
  and to_regtype('public.learning_style') is null
  and to_regtype('public.generation_status') is null;
