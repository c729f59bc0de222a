-- The schemas by their oids, to tell one that has a new name from one that takes its old name.
select n.oid, n.nspname
from pg_namespace as n
