drop table public.notes;
drop table public.members;
