-- Its policy, indexes and grants go with it, and its place in the publication.
drop table public.session_events;
