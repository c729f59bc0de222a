-- The runner that holds the lock: it has written the ledger's row, and others see its transaction as the old row's xmax.
select
  a.pid,
  a.usename,
  a.application_name,
  host(a.client_addr),
  a.state,
  date_part('epoch', clock_timestamp() - a.xact_start),
  a.query,
  null,
  null
from pgvouch.ledger as w
  join pg_locks as l on l.locktype = 'transactionid' and l.transactionid = w.xmax and l.granted
  join pg_stat_activity as a on a.pid = l.pid
where l.mode = 'ExclusiveLock'
