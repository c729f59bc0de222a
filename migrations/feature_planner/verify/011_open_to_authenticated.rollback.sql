-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check none: a right of somebody else's is left on the schema, its tables, or what is to come
select 'schema'
from pg_catalog.pg_namespace as n
cross join aclexplode(n.nspacl) as entry where n.nspname = 'feature_planner' and entry.grantee <> n.nspowner
union all
select c.relname
from pg_catalog.pg_class as c
cross join aclexplode(c.relacl) as entry
where c.relnamespace = 'feature_planner'::regnamespace and entry.grantee <> c.relowner
union all
select 'default'
from pg_catalog.pg_default_acl where defaclnamespace = 'feature_planner'::regnamespace;

-- check none: a policy, or row level security
select policyname from pg_catalog.pg_policies where schemaname = 'feature_planner'
union all
select relname
from pg_catalog.pg_class where relnamespace = 'feature_planner'::regnamespace and relrowsecurity;
