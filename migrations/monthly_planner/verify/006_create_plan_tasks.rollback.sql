-- check: plan_tasks is gone, with its sequence
select to_regclass('public.plan_tasks') is null
  and to_regclass('public.plan_tasks_id_seq') is null;
