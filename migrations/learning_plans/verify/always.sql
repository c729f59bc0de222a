-- What holds whatever is applied. What holds behind Supabase's API anywhere is promised by the platform set.
set local search_path = pg_catalog, pg_temp;

-- The last three may be the platform's.
-- check none: a schema beside public, in which nothing here would be looked for
select n.nspname
from pg_namespace as n
where n.nspowner = (select p.nspowner from pg_namespace as p where p.nspname = 'pgvouch')
  and n.nspname !~ '^pg_'
  and n.nspname not in ('public', 'information_schema', 'pgvouch', 'auth', 'extensions', 'supabase_migrations');

-- check none: a right of visitors, but to read plans, of which the policies show them the public ones
select c.oid::regclass, x.privilege_type
from pg_class as c
cross join lateral (
  select c.relacl as acl union all select a.attacl from pg_attribute as a where a.attrelid = c.oid
) as part
cross join aclexplode(part.acl) as x
where c.relnamespace = 'public'::regnamespace and x.grantee = to_regrole('anon')
  and (c.relname, x.privilege_type) <> ('learning_plans', 'SELECT');

-- check none: a right of users or servers to empty a table, to refer to it or to hang a trigger on it
select c.oid::regclass, x.privilege_type
from pg_class as c
cross join aclexplode(c.relacl) as x
where c.relnamespace = 'public'::regnamespace
  and x.grantee in (to_regrole('authenticated'), to_regrole('service_role'))
  and x.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER');

-- The platform may bring functions for event triggers, which nobody can call.
-- check none: a function, for the design has none
select p.oid::regprocedure
from pg_proc as p
where p.pronamespace = 'public'::regnamespace and p.prorettype <> 'event_trigger'::regtype;

-- check none: a copy of rows, or a view that shows them with its owner's rights
select c.oid::regclass
from pg_class as c
where c.relnamespace = 'public'::regnamespace
  and (c.relkind = 'm' or c.relkind = 'v' and coalesce(c.reloptions::text, '') !~ 'security_invoker=(true|on|1|yes)');

-- check none: a table that is sent out
select m.prrelid::regclass
from pg_publication_rel as m
join pg_class as c on c.oid = m.prrelid
where c.relnamespace = 'public'::regnamespace;

-- check none: a table without a primary key
select c.oid::regclass
from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  and not exists (select from pg_constraint as k where k.conrelid = c.oid and k.contype = 'p');

-- check none: a constraint that is not validated, or whose check can be put off
select k.conrelid::regclass, k.conname
from pg_constraint as k
where k.connamespace = 'public'::regnamespace and (not k.convalidated or k.condeferrable);

-- check none: a column of a type that loses something: json, a fixed length, a short number, the fraction of a time
select a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type as t on t.oid = a.atttypid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  and (
    a.attcollation <> t.typcollation
    or a.atttypmod >= 0
    or a.attname ~ '_at$' and a.atttypid <> 'timestamptz'::regtype
    or t.typtype <> 'e' and a.atttypid not in (
      'uuid'::regtype, 'text'::regtype, 'integer'::regtype, 'boolean'::regtype, 'date'::regtype,
      'timestamptz'::regtype, 'jsonb'::regtype
    )
  );
