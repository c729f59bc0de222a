-- The backend that works, or has just worked, on a non-transactional migration: its messages carry the token of the
-- ledger's row. Behind a pooler an idle backend keeps the text of its last message, so an idle one counts for a
-- moment only. Where another role's messages are hidden from us, the recorded pid has to do. Who may not write the ledger
-- is no runner, whatever he writes into his messages.
select
  a.pid,
  a.usename,
  a.application_name,
  pg_catalog.host(a.client_addr),
  a.state,
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.query_start),
  a.query,
  null,
  null
from pg_catalog.pg_stat_activity as a
where a.datname = pg_catalog.current_database()
  and a.pid <> pg_catalog.pg_backend_pid()
  and pg_catalog.has_table_privilege(a.usesysid, 'pgvouch.migration', 'update')
  and (
    (
      pg_catalog.strpos(pg_catalog.left(a.query, 300), {token}) > 0
      and (a.state <> 'idle' or a.state_change > pg_catalog.clock_timestamp() - interval '{grace}')
    )
    or (a.pid = {pid} and a.query = '<insufficient privilege>')
  )
limit 1
