-- The trigger first, or every sign-up would fail for want of the table.
drop trigger on_auth_user_created on auth.users;
drop table public.profiles;
