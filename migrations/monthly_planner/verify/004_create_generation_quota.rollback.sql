-- check: generation_quota is gone, with its sequence
select to_regclass('public.generation_quota') is null
  and to_regclass('public.generation_quota_id_seq') is null;
