-- The names of tables and columns, as they are in this moment. A generated column holds nothing of its own.
-- The last column is why rows may not be counted: PostgreSQL evaluates what is constant in the expressions of an index,
-- of statistics and of a check when it plans a query, so a table of somebody else's would run his functions as us.
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
