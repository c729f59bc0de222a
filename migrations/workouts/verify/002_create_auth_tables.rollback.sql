-- check: magic_links, password_resets, sessions and invites are gone
select to_regclass('public.magic_links') is null
  and to_regclass('public.password_resets') is null
  and to_regclass('public.sessions') is null
  and to_regclass('public.invites') is null;
