-- What a rollback may have lost, in its transaction, after its SQL: tables as they are now with the rows deleted from
-- them, and the dropped columns of those that are locked as a dropped column locks its table.
select
  'table',
  c.oid,
  c.relfilenode,
  pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid),
  c.relispartition
from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'r'
  and c.relpersistence <> 't'
  and n.nspname not in ('pgvouch', 'information_schema')
  and n.nspname !~ '^pg_'
union all
select 'column', a.attrelid, a.attnum, null, null
from pg_catalog.pg_locks as l
  join pg_catalog.pg_attribute as a on a.attrelid = l.relation
  join pg_catalog.pg_class as c on c.oid = a.attrelid
where l.pid = pg_catalog.pg_backend_pid()
  and l.locktype = 'relation'
  and l.mode = 'AccessExclusiveLock'
  and c.relkind = 'r'
  and a.attnum > 0
  and a.attisdropped
