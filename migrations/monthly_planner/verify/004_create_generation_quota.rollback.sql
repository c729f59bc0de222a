-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: generation_quota is gone, with its sequence
select to_regclass('public.generation_quota') is null and to_regclass('public.generation_quota_id_seq') is null;
