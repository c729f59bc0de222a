-- A relation, its table where it is an index, whether it is valid, and who is building it right now.
select
  c.oid,
  pg_catalog.format('%I.%I', n.nspname, c.relname),
  i.indrelid,
  pg_catalog.quote_ident(tn.nspname),
  pg_catalog.quote_ident(t.relname),
  coalesce(i.indisvalid and i.indisready and i.indislive, true),
  (
    select p.pid from pg_catalog.pg_stat_progress_create_index as p
    where p.index_relid = c.oid limit 1
  )
from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  left join (
    pg_catalog.pg_index as i
    join pg_catalog.pg_class as t on t.oid = i.indrelid
    join pg_catalog.pg_namespace as tn on tn.oid = t.relnamespace
  ) on i.indexrelid = c.oid and c.relkind = 'i'
where {which}
