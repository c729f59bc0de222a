-- Where there is no ledger yet: who has written something here, has not committed for longest, and so may hold the name of
-- the schema that is to be made.
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
from pg_stat_activity as a
where a.datname = current_database()
  and a.pid <> pg_backend_pid()
  and a.backend_xid is not null
order by a.xact_start
limit 1
