-- The runner that holds our advisory lock in this database. The 64 bits of its key are in two columns.
select
  a.pid,
  a.usename,
  a.application_name,
  pg_catalog.host(a.client_addr),
  a.state,
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.xact_start),
  a.query,
  null,
  null
from pg_catalog.pg_locks as l
  join pg_catalog.pg_stat_activity as a on a.pid = l.pid
where l.locktype = 'advisory'
  and l.granted
  and l.database = (select d.oid from pg_catalog.pg_database as d where d.datname = pg_catalog.current_database())
  and (l.classid::bigint << 32) | l.objid::bigint = {key}
  and l.objsubid = 1
