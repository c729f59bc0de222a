-- What an interrupted REINDEX CONCURRENTLY leaves behind: invalid indexes with these suffixes, which PostgreSQL's
-- documentation says to drop before trying again; also those of TOAST tables. t is the table of the index; o is the
-- table whose TOAST table that is.
select
  pg_catalog.format('%I.%I', n.nspname, c.relname),
  o.oid is not null
from pg_catalog.pg_index as i
  join pg_catalog.pg_class as c on c.oid = i.indexrelid
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  join pg_catalog.pg_class as t on t.oid = i.indrelid
  left join pg_catalog.pg_class as o on o.reltoastrelid = t.oid
where not i.indisvalid
  and c.relkind = 'i'
  and c.relname ~ '_cc(new|old)[0-9]*$'
  and ({scope})
  and not exists (
    select from pg_catalog.pg_stat_progress_create_index as p where p.index_relid = i.indexrelid
  )
order by 1
