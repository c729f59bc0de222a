-- Its policies, constraints and grants go with it.
drop table public.users;
