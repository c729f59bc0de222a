-- The function first, or every sign-up would fail for want of the table. Its trigger on auth.users
-- goes with it: `drop trigger` would ask for the ownership of auth.users, which belongs to the auth
-- server on Supabase, and there it would lock two dozen tables of the platform.
drop function public.handle_new_user() cascade;
drop table public.profiles;
