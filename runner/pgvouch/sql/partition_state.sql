-- Whether a table is still a partition, and whether an interrupted DETACH … CONCURRENTLY waits to be finalized.
select i.inhdetachpending
from pg_catalog.pg_inherits as i
where i.inhparent = {parent}::pg_catalog.regclass
  and i.inhrelid = {partition}::pg_catalog.regclass
