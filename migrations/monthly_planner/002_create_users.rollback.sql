-- Its sequence goes with it, as in every rollback of the planner's tables.
drop table public.users;
