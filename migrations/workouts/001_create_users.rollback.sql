drop table public.users;
drop function public.generate_invite_code();
drop function public.update_updated_at_column();
