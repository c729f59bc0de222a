-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: magic_links, password_resets, sessions and invites are gone
select to_regclass('public.magic_links') is null
  and to_regclass('public.password_resets') is null
  and to_regclass('public.sessions') is null
  and to_regclass('public.invites') is null;
