-- Which groups were looked at, and what else has to be known: whether roles may have changed, whether the transaction has
-- prepared statements of its own, the names of schemas that it has written, and the tables whose rows it writes.
select s.kind || case s.id when 0 then '' else s.id::text end, null, null
from scope as s

union all
select '!', 'roles', null
where exists (
  select
  from catalogs as c
  where c.is_written
    and c.id in ('pg_authid'::regclass, 'pg_auth_members'::regclass, 'pg_db_role_setting'::regclass))

-- A schema's name stands in the lines of objects that the transaction need not have touched.
union all
select '!', 'schema ' || n.oid, n.nspname
from pg_namespace as n
where (select c.is_written from catalogs as c where c.id = 'pg_namespace'::regclass) and age(n.xmin) <= 0

union all
select '!', 'statements', null
where exists (select from pg_prepared_statements as p where p.name not in ('pgvouch_scope', 'pgvouch_scope_of_relations'))

-- A statement that writes rows takes this lock, whether or not it finds one, and a savepoint gives it back; so does the
-- check of a function's body. Only where the server does not count (of foreign tables it never does) does that suffice.
union all
select '!', 'rows ' || n.name || '.' || quote_ident(c.relname), case when bool_or(w.is_written) or c.relkind = 'f' then 'written' end
from (
  select
    coalesce(pg_partition_root(t.objid), t.objid) as id,
    pg_stat_get_xact_tuples_inserted(t.objid) + pg_stat_get_xact_tuples_updated(t.objid)
      + pg_stat_get_xact_tuples_deleted(t.objid) > 0 or not current_setting('track_counts')::boolean as is_written
  from taken as t
  where t.mode = 'RowExclusiveLock' and t.classid = 'pg_class'::regclass and t.objid >= 16384
) as w
join pg_class as c on c.oid = w.id and c.relkind in ('r', 'p', 'f') and c.relpersistence <> 't'
join nsp as n on n.oid = c.relnamespace and not n.system
group by n.name, c.relname, c.relkind
