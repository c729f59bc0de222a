-- The index of a name in the schema of a table, and who is building it right now. `create index` puts an index into
-- the schema of its table, whatever the search_path is.
select
  i.indisvalid and i.indisready and i.indislive,
  i.indrelid = {table}::pg_catalog.regclass,
  pg_catalog.format('%I.%I', n.nspname, c.relname),
  (
    select p.pid from pg_catalog.pg_stat_progress_create_index as p
    where p.index_relid = i.indexrelid limit 1
  )
from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  join pg_catalog.pg_index as i on i.indexrelid = c.oid
where c.relname = {name}
  and c.relkind = 'i'
  and c.relnamespace = (
    select t.relnamespace from pg_catalog.pg_class as t where t.oid = {table}::pg_catalog.regclass
  )
