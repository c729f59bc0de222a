-- Whether an interrupted DETACH … CONCURRENTLY waits to be finalized, and the names of parent and partition; no row
-- where it is no partition of that table.
select
  i.inhdetachpending,
  pg_catalog.format('%I.%I', pn.nspname, p.relname),
  pg_catalog.format('%I.%I', cn.nspname, c.relname)
from pg_catalog.pg_inherits as i
  join pg_catalog.pg_class as p on p.oid = i.inhparent
  join pg_catalog.pg_namespace as pn on pn.oid = p.relnamespace
  join pg_catalog.pg_class as c on c.oid = i.inhrelid
  join pg_catalog.pg_namespace as cn on cn.oid = c.relnamespace
where i.inhparent = {parent}
  and i.inhrelid = {partition}
