-- The dropped columns of tables that this transaction has locked as dropping a column locks them. Those that were
-- dropped long before are among them.
select a.attrelid, a.attnum
from pg_catalog.pg_locks as l
  join pg_catalog.pg_attribute as a on a.attrelid = l.relation
  join pg_catalog.pg_class as c on c.oid = a.attrelid
where l.pid = pg_catalog.pg_backend_pid()
  and l.locktype = 'relation'
  and l.mode = 'AccessExclusiveLock'
  and c.relkind = 'r'
  and a.attnum > 0
  and a.attisdropped
