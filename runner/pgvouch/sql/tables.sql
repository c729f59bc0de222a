-- Every table with rows of its own, ahead of a rollback: what is not here afterwards was dropped, and what has another
-- file was truncated or rewritten. Nothing is locked by this.
select
  c.oid,
  c.relfilenode,
  pg_catalog.format('%I.%I', n.nspname, c.relname),
  pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)
from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'r'
  and c.relpersistence <> 't'
  and n.nspname not in ('pgvouch', 'information_schema')
  and n.nspname !~ '^pg_'
