-- check: monthly_plans is gone, with its sequence
select to_regclass('public.monthly_plans') is null
  and to_regclass('public.monthly_plans_id_seq') is null;
