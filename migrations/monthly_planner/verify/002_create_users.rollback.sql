-- check: users is gone, with its sequence
select to_regclass('public.users') is null
  and to_regclass('public.users_id_seq') is null;
