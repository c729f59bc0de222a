-- What holds whatever is applied. The planner moves in with a site, whose schema public is its own matter; so these are
-- about the planner's schema, once it is there. What holds behind Supabase's API anywhere is promised by the platform set.
set local search_path = pg_catalog, pg_temp;

-- check none: a right of visitors or servers, who have none here
select c.oid::regclass, x.privilege_type
from pg_class as c
cross join lateral (
  select c.relacl as acl union all select a.attacl from pg_attribute as a where a.attrelid = c.oid
) as part
cross join aclexplode(part.acl) as x
where c.relnamespace = to_regnamespace('feature_planner')
  and x.grantee in (to_regrole('anon'), to_regrole('service_role'));

-- check none: a right of users to empty a table, to refer to it or to hang a trigger on it
select c.oid::regclass, x.privilege_type
from pg_class as c
cross join aclexplode(c.relacl) as x
where c.relnamespace = to_regnamespace('feature_planner')
  and x.grantee = to_regrole('authenticated')
  and x.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER');

-- check none: a function that users may call, but for the one that says who they are
select p.oid::regprocedure
from pg_proc as p
cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as x
where p.pronamespace = to_regnamespace('feature_planner') and x.grantee <> p.proowner
  and (p.proname, x.grantee) <> ('caller_id', to_regrole('authenticated'));

-- check none: a function with its owner's rights in the site's schema that users may call
select p.oid::regprocedure
from pg_proc as p
cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as x
where p.pronamespace = 'public'::regnamespace and p.prosecdef
  and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  and x.grantee in (0, to_regrole('authenticated'));

-- check none: a copy of rows, or a view that shows them with its owner's rights
select c.oid::regclass
from pg_class as c
where c.relnamespace = to_regnamespace('feature_planner')
  and (c.relkind = 'm' or c.relkind = 'v' and coalesce(c.reloptions::text, '') !~ 'security_invoker=(true|on|1|yes)');

-- check none: a table of the planner's that is sent out
select m.prrelid::regclass
from pg_publication_rel as m
join pg_class as c on c.oid = m.prrelid
where c.relnamespace = to_regnamespace('feature_planner');

-- check none: a table without a primary key
select c.oid::regclass
from pg_class as c
where c.relnamespace = to_regnamespace('feature_planner') and c.relkind in ('r', 'p')
  and not exists (select from pg_constraint as k where k.conrelid = c.oid and k.contype = 'p');

-- check none: a constraint that is not validated, or whose check can be put off
select k.conrelid::regclass, k.conname
from pg_constraint as k
where k.connamespace = to_regnamespace('feature_planner') and (not k.convalidated or k.condeferrable);

-- check none: a column of a type that loses something: json, a fixed length, a short number, the fraction of a time
select a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type as t on t.oid = a.atttypid
where c.relnamespace = to_regnamespace('feature_planner') and c.relkind in ('r', 'p')
  and (
    a.attcollation <> t.typcollation
    or t.typcategory = 'D' and (a.atttypmod >= 0 or a.atttypid <> 'timestamp'::regtype)
    or t.typtype <> 'e' and a.atttypid not in (
      'uuid'::regtype, 'text'::regtype, 'varchar'::regtype, 'integer'::regtype, 'boolean'::regtype,
      'timestamp'::regtype, 'jsonb'::regtype
    )
  );
