-- Schemas, and the privileges on PostgreSQL's own relations. Columns as in catalog_relations.sql.
select
  '' as key, 'pg_namespace'::regclass::oid as classid, n.oid as objid, 0 as subid, 'schema ' || n.name as identity,
  case when n.system then null else '' end as definition,
  n.nspowner as owner, n.nspacl as acl, 'n'::"char" as acltype, not n.system as own
from nsp as n

union all
select
  '', 'pg_class'::regclass, c.oid, 0, case c.relkind when 'v' then 'view ' else 'table ' end || n.name || '.'
    || quote_ident(c.relname),
  null, c.relowner, c.relacl, 'r', false
from pg_class as c
join nsp as n on n.oid = c.relnamespace and n.system
where c.relacl is not null and c.relkind in ('r', 'v')
