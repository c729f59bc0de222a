-- check none: the publication
select pubname from pg_catalog.pg_publication where pubname = 'supabase_realtime';
