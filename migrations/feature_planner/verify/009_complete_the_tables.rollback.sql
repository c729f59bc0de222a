-- check: the function, its triggers and the index are gone
select to_regprocedure('public.touch_updated_at()') is null
  and to_regclass('public.discovered_files_added_by_user_id_idx') is null;

-- check none: a trigger is left
select tgname
from pg_catalog.pg_trigger
where tgrelid in (
    'public.feature_plans'::regclass,
    'public.plan_steps'::regclass,
    'public.plan_step_templates'::regclass
  )
  and not tgisinternal;
