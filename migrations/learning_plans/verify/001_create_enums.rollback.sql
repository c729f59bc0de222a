-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: the three types are gone
select to_regtype('public.skill_level') is null
  and to_regtype('public.learning_style') is null
  and to_regtype('public.generation_status') is null;
