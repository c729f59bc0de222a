-- What the engine asks the catalog. Each block says what it returns; what stands in braces is filled in, as a literal
-- unless it is SQL itself.

-- name: tables
-- Every table that stores rows, in one text, ahead of a rollback and after it: what is gone afterwards was dropped,
-- what has another file was truncated or rewritten, and what has more deleted rows has lost some. Nothing is locked by
-- this. A row that moves to another partition counts as deleted from the first, so partitions are left out.
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

-- name: dropped_columns
-- The dropped columns of tables that this transaction has locked as dropping a column locks them. Those that were
-- dropped long before are among them.
select a.attrelid, a.attnum
from pg_catalog.pg_locks as l
  join pg_catalog.pg_attribute as a on a.attrelid = l.relation
  join pg_catalog.pg_class as c on c.oid = a.attrelid
where l.pid = pg_catalog.pg_backend_pid()
  and l.locktype = 'relation'
  and l.mode = 'AccessExclusiveLock'
  and c.relkind = 'r'
  and a.attnum > 0
  and a.attisdropped

-- name: table_names
-- The names of tables and columns, as they are in this moment. A generated column holds nothing that could be lost.
-- The last column is why rows may not be counted: PostgreSQL evaluates what is constant in the expressions of an index,
-- of statistics and of a check when it plans a query, so another role's table would run its functions as us.
-- Those of PostgreSQL itself are pinned: nothing is recorded to depend on them. An empty file is counted by its size.
select
  w.relation,
  w.attribute,
  pg_catalog.format('%I.%I', n.nspname, c.relname),
  pg_catalog.quote_ident(a.attname),
  case when o.rolname <> current_user and not o.rolsuper and exists (
    select from pg_depend as d
    where d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
      and (
        (d.classid = 'pg_class'::regclass and d.objid in (select i.indexrelid from pg_index as i where i.indrelid = c.oid))
        or (d.classid = 'pg_statistic_ext'::regclass
          and d.objid in (select x.oid from pg_statistic_ext as x where x.stxrelid = c.oid))
        or (d.classid = 'pg_constraint'::regclass
          and d.objid in (select k.oid from pg_constraint as k where k.conrelid = c.oid))
      )
  ) then case when pg_relation_size(c.oid) = 0 then 'empty' else 'foreign' end end
from (values {wanted}) as w (relation, attribute)
  join pg_catalog.pg_class as c on c.oid = w.relation
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  join pg_catalog.pg_roles as o on o.oid = c.relowner
  left join pg_catalog.pg_attribute as a
    on a.attrelid = c.oid and a.attnum = w.attribute and not a.attisdropped and a.attgenerated = ''
where w.attribute = 0 or a.attnum is not null

-- name: index_state
-- A relation, its table where it is an index, whether it is valid, and who is building it right now.
select
  c.oid,
  pg_catalog.format('%I.%I', n.nspname, c.relname),
  i.indrelid,
  pg_catalog.quote_ident(tn.nspname),
  pg_catalog.quote_ident(t.relname),
  coalesce(i.indisvalid and i.indisready and i.indislive, true),
  (
    select p.pid from pg_catalog.pg_stat_progress_create_index as p
    where p.index_relid = c.oid limit 1
  )
from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  left join (
    pg_catalog.pg_index as i
    join pg_catalog.pg_class as t on t.oid = i.indrelid
    join pg_catalog.pg_namespace as tn on tn.oid = t.relnamespace
  ) on i.indexrelid = c.oid and c.relkind = 'i'
where {which}

-- name: index_definitions
-- The definition of an index, and that of the only index of a table's copy.
select
  pg_catalog.pg_get_indexdef({index}),
  (
    select pg_catalog.pg_get_indexdef(i.indexrelid)
    from pg_catalog.pg_index as i
    where i.indrelid = pg_catalog.to_regclass({copy})
  )

-- name: reindex_leftovers
-- What an interrupted REINDEX CONCURRENTLY leaves behind: invalid indexes with these suffixes, which PostgreSQL's
-- documentation says to drop before trying again; also those of TOAST tables. t is the table of the index; o is the
-- table whose TOAST table that is.
select
  pg_catalog.format('%I.%I', n.nspname, c.relname),
  o.oid is not null
from pg_catalog.pg_index as i
  join pg_catalog.pg_class as c on c.oid = i.indexrelid
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  join pg_catalog.pg_class as t on t.oid = i.indrelid
  left join pg_catalog.pg_class as o on o.reltoastrelid = t.oid
where not i.indisvalid
  and c.relkind = 'i'
  and c.relname ~ '_cc(new|old)[0-9]*$'
  and ({scope})
  and not exists (
    select from pg_catalog.pg_stat_progress_create_index as p where p.index_relid = i.indexrelid
  )
order by 1

-- name: partition_state
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

-- name: transaction_status
-- What has become of a transaction: in progress, committed or aborted; null where it is too long ago.
select pg_xact_status({xid}::xid8)
