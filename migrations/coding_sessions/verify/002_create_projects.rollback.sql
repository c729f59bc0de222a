-- check: projects is gone
select to_regclass('public.projects') is null;
