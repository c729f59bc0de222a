-- check: coding_sessions is gone
select to_regclass('public.coding_sessions') is null;
