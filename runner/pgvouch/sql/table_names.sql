-- The names of tables and columns, as they are in this moment. A generated column holds nothing of its own.
select
  w.relation,
  w.attribute,
  pg_catalog.format('%I.%I', n.nspname, c.relname),
  pg_catalog.quote_ident(a.attname)
from (values {wanted}) as w (relation, attribute)
  join pg_catalog.pg_class as c on c.oid = w.relation
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  left join pg_catalog.pg_attribute as a
    on a.attrelid = c.oid and a.attnum = w.attribute and not a.attisdropped and a.attgenerated = ''
where w.attribute = 0 or a.attnum is not null
