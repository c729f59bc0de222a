-- Every table with rows of its own, in one text, ahead of a rollback and after it: what is gone afterwards was dropped,
-- what has another file was truncated or rewritten, and what has more deleted rows has lost some. Nothing is locked by
-- this. A row that moves to another partition is deleted from its own, so those of partitions do not count.
select string_agg(
  c.oid::text || ' ' || c.relfilenode::text || ' '
    || case when c.relispartition then 0 else pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) end,
  ';' order by c.oid
)
from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'r'
  and c.relpersistence <> 't'
  and n.nspname not in ('pgvouch', 'information_schema')
  and n.nspname !~ '^pg_'
