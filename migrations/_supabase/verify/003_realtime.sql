-- check: the publication carries every kind of change, of chosen tables only
select pubinsert and pubupdate and pubdelete and pubtruncate and not puballtables
from pg_catalog.pg_publication where pubname = 'supabase_realtime';
