-- The names that every other block joins with. Columns that only some versions have are found by scope: an
-- unqualified name inside a lateral subquery means the catalog's column where there is one, else the null outside.
setting as materialized (
  select
    (select r.oid from pg_roles as r where r.rolname = current_user) as me,
    current_setting('server_version_num')::int as version
),

-- Schemas that a migration can own. PostgreSQL's own is here for privileges that were changed in it only.
nsp as materialized (
  select
    n.oid, quote_ident(n.nspname) as name, n.nspname, n.nspowner, n.nspacl,
    n.nspname = 'pg_catalog' as system
  from pg_namespace as n
  where n.nspname not in ('pg_toast', 'information_schema', 'pgvouch') and n.nspname !~ '^pg_(toast_)?temp_'
),

-- What extensions brought: the extension has one line, its members have none.
member as materialized (
  select d.classid, d.objid
  from pg_depend as d
  where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
),

-- The relations in question, and what they hang on. an index, a trigger, a policy belongs to its table.
rel as materialized (
  select
    c.oid, n.name || '.' || quote_ident(c.relname) as name, c.relname, c.relkind, c.relpersistence, c.relowner,
    c.relacl, c.relam, c.reltablespace, c.reloptions, c.reltoastrelid, c.reloftype, c.relispartition,
    c.relpartbound, c.relreplident, c.relrowsecurity, c.relforcerowsecurity,
    'r' || c.oid as key, m.objid is null as own
  from pg_class as c
  join nsp as n on n.oid = c.relnamespace and not n.system
  left join member as m on m.classid = 'pg_class'::regclass and m.objid = c.oid
  where {relations} and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c') and c.relpersistence <> 't'
)
