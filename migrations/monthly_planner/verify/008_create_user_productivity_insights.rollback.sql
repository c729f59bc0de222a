-- check: user_productivity_insights is gone, with its sequence
select to_regclass('public.user_productivity_insights') is null
  and to_regclass('public.user_productivity_insights_id_seq') is null;
