-- Who keeps a backend of ours waiting, and for which lock. Read over another connection. Ours is known by its
-- pid or, before the transaction has begun, by the comment at the head of its message: behind a pooler the client
-- knows no backend beforehand.
-- pg_blocking_pids() names prepared transactions as 0.
with ours as (
  select a.pid
  from pg_catalog.pg_stat_activity as a
  where a.datname = pg_catalog.current_database()
    and a.pid <> pg_catalog.pg_backend_pid()
    and {own}
)
select
  blocker.pid,
  a.usename,
  a.application_name,
  pg_catalog.host(a.client_addr),
  a.state,
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - coalesce(a.xact_start, p.prepared)),
  case when blocker.pid = 0 then 'PREPARE TRANSACTION ' || p.gid else a.query end,
  wanted.mode,
  wanted.relation::pg_catalog.regclass::text
from ours
  cross join lateral pg_catalog.unnest(pg_catalog.pg_blocking_pids(ours.pid)) as blocker (pid)
  left join pg_catalog.pg_stat_activity as a on a.pid = blocker.pid
  left join lateral (
    select w.mode, w.relation from pg_catalog.pg_locks as w where w.pid = ours.pid and not w.granted limit 1
  ) as wanted on true
  left join lateral (
    select x.gid, x.prepared from pg_catalog.pg_prepared_xacts as x
    where blocker.pid = 0 and x.database = pg_catalog.current_database()
    order by x.prepared limit 1
  ) as p on true
order by 6 desc nulls last
