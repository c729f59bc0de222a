-- What an interrupted REINDEX CONCURRENTLY leaves behind: invalid indexes with these suffixes, which PostgreSQL's
-- documentation says to drop before trying again. Indexes of TOAST tables are not ours to drop.
select pg_catalog.format('%I.%I', n.nspname, c.relname)
from pg_catalog.pg_index as i
  join pg_catalog.pg_class as c on c.oid = i.indexrelid
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where not i.indisvalid
  and c.relname ~ '_cc(new|old)[0-9]*$'
  and n.nspname <> 'pg_toast'
  and ({scope})
  and not exists (
    select from pg_catalog.pg_stat_progress_create_index as p where p.index_relid = i.indexrelid
  )
order by 1
