-- What a report asks of a database. Names without a schema are those of pg_catalog: the message sets the search_path.

-- name: columns
-- The columns of every table in order, with the schema and the name of the table, whether it has row security, and its comment.
-- Partitions, extensions' tables and those of migration tools are left out.
select
  n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
  exists (
    select from pg_constraint as k where k.conrelid = c.oid and k.contype = 'p' and a.attnum = any (k.conkey)
  ),
  c.relrowsecurity, obj_description(c.oid, 'pg_class')
from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p', 'f') and not c.relispartition
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'pgvouch')
  and c.relname !~ '^_?yoyo_'
  and not exists (
    select from pg_depend as d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
order by n.nspname, c.relname, a.attnum

-- name: foreign_keys
-- The foreign keys: schema and table, columns, then those that they point to; columns as JSON, for a name may hold anything.
select
  n.nspname, c.relname,
  (
    select json_agg(a.attname order by k.at)
    from unnest(f.conkey) with ordinality as k (number, at)
      join pg_attribute as a on a.attrelid = f.conrelid and a.attnum = k.number
  ),
  tn.nspname, t.relname,
  (
    select json_agg(a.attname order by k.at)
    from unnest(f.confkey) with ordinality as k (number, at)
      join pg_attribute as a on a.attrelid = f.confrelid and a.attnum = k.number
  )
from pg_constraint as f
  join pg_class as c on c.oid = f.conrelid
  join pg_namespace as n on n.oid = c.relnamespace
  join pg_class as t on t.oid = f.confrelid
  join pg_namespace as tn on tn.oid = t.relnamespace
where f.contype = 'f' and f.conparentid = 0
order by n.nspname, c.relname, f.conname
