drop table public.invites;
drop table public.sessions;
drop table public.password_resets;
drop table public.magic_links;
