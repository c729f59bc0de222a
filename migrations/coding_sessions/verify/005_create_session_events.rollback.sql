-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: session_events is gone
select to_regclass('public.session_events') is null;

-- check none: an event that Realtime still follows
select tablename
from pg_catalog.pg_publication_tables
where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'session_events';
