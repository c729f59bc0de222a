-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- same: what else hangs on the function stays
-- before:
select pg_describe_object(classid, objid, objsubid)
from pg_catalog.pg_depend
where refclassid = 'pg_proc'::regclass
  and refobjid = 'public.touch_updated_at()'::regprocedure
  and not exists (
    select
    from pg_catalog.pg_trigger as t
    where classid = 'pg_trigger'::regclass
      and t.oid = objid
      and (t.tgname, t.tgrelid) in (
        ('feature_plans_updated_at', 'public.feature_plans'::regclass),
        ('plan_steps_updated_at', 'public.plan_steps'::regclass),
        ('plan_step_templates_updated_at', 'public.plan_step_templates'::regclass)
      )
  );
-- after:
select null where false;
