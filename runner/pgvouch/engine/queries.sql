-- What the engine asks the catalog. Each block says what it returns; what stands in braces is filled in, as a literal
-- unless it is SQL itself.

-- name: before_rollback
-- Ahead of a rollback: which transactions of others are under way, the oids of the tables called like one of {words} that
-- are empty, and what this transaction has deleted so far ({deleted} is null, or rows_deleted). A file of size 0 is empty
-- without being read. The words are those of the rollback: a table that it does not name counts as one that holds
-- something. The author's search_path is in force, here and in the next ones.
select
  pg_catalog.pg_current_snapshot()::pg_catalog.text,
  (
    select pg_catalog.string_agg(c.oid::pg_catalog.text, ' ')
    from pg_catalog.pg_class as c
    where c.relname operator(pg_catalog.=) any ({words}::pg_catalog.name[])
      and c.relkind operator(pg_catalog.=) 'r'::pg_catalog."char"
      and pg_catalog.pg_relation_size(c.oid) operator(pg_catalog.=) 0::pg_catalog.int8
  ),
  {deleted}

-- name: rows_deleted
-- How many rows this transaction has deleted from which table so far.
(
  select pg_catalog.string_agg(
    pg_catalog.concat(l.relation, ' ', pg_catalog.pg_stat_get_xact_tuples_deleted(l.relation)), ';'
  )
  from pg_catalog.pg_locks as l
  where l.pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()
    and l.mode operator(pg_catalog.=) 'RowExclusiveLock'::pg_catalog.text
    and pg_catalog.pg_stat_get_xact_tuples_deleted(l.relation) operator(pg_catalog.>) 0::pg_catalog.int8
)

-- name: watch_rollback
-- A cursor that is opened ahead of a rollback and read behind it. It sees the catalog as it was, and of that only the
-- tables that this transaction has locked by then: whether each has got another file or none (for functions see what is
-- there now), how many rows were deleted, and which of its columns are gone. A row that moves to another partition counts
-- as deleted from the first, so partitions are left out; a generated column holds nothing that could be lost; tables of
-- PostgreSQL's own have the oids that initdb gives.
declare pgvouch_before no scroll cursor for
select
  c.oid,
  case
    when pg_catalog.pg_relation_filenode(c.oid) is null then 'gone'
    when pg_catalog.pg_relation_filenode(c.oid) operator(pg_catalog.<>) c.relfilenode then 'rewritten'
    else 'kept'
  end,
  case when c.relispartition then 0 else pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) end,
  case when pg_catalog.pg_relation_filenode(c.oid) is not null then (
    select pg_catalog.string_agg(a.attnum::pg_catalog.text, ' ')
    from pg_catalog.pg_attribute as a
    where a.attrelid operator(pg_catalog.=) c.oid
      and a.attnum operator(pg_catalog.>) 0::pg_catalog.int2
      and not a.attisdropped
      and a.attgenerated operator(pg_catalog.=) ''::pg_catalog."char"
      and pg_catalog.has_column_privilege(c.oid, a.attnum, 'select') is null
  ) end
from pg_catalog.pg_class as c
where c.oid operator(pg_catalog.=) any (
    array(
      select l.relation from pg_catalog.pg_locks as l
      where l.pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()
        and l.locktype operator(pg_catalog.=) 'relation'::pg_catalog.text
    )
  )
  and c.oid operator(pg_catalog.>=) 16384::pg_catalog.oid
  and c.relkind operator(pg_catalog.=) 'r'::pg_catalog."char"
  and c.relpersistence operator(pg_catalog.<>) 't'::pg_catalog."char"
  and c.relnamespace operator(pg_catalog.<>) pg_catalog.to_regnamespace('pgvouch')

-- name: table_names
-- The names of tables and columns, as they are in this moment. A generated column holds nothing that could be lost.
-- The last columns are whether the table is ours to lock, and before that why rows may not be counted: PostgreSQL evaluates what is constant in the expressions of an index,
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
  ) then case when pg_relation_size(c.oid) = 0 then 'empty' else 'foreign' end end,
  pg_has_role(c.relowner, 'usage')
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
