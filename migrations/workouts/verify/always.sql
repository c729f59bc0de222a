-- What holds whatever is applied: the application owns everything and opens nothing to anybody else.
set local search_path = pg_catalog, pg_temp;

-- check none: a schema beside public, in which nothing here would be looked for
select n.nspname
from pg_namespace as n
where n.nspowner = (select p.nspowner from pg_namespace as p where p.nspname = 'pgvouch')
  and n.nspname !~ '^pg_'
  and n.nspname not in ('public', 'information_schema', 'pgvouch');

-- check none: a table or sequence that somebody else owns or may use, or that has row level security, a policy or an unknown trigger
select c.oid::regclass
from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'S')
  and (
    c.relowner <> (select n.nspowner from pg_namespace as n where n.nspname = 'pgvouch')
    or c.relrowsecurity
    or exists (select from aclexplode(c.relacl) as x where x.grantee <> c.relowner)
    or exists (select from pg_attribute as a where a.attrelid = c.oid and a.attacl is not null)
    or exists (select from pg_policy as p where p.polrelid = c.oid)
    or exists (
      select from pg_trigger as t
      where t.tgrelid = c.oid and not t.tgisinternal and (t.tgname, t.tgfoid::regprocedure::text) not in (
        ('generate_user_invite_code', 'public.generate_invite_code()'), ('generate_exercise_slug_trigger', 'public.generate_exercise_slug()')
      ) and not (t.tgname ~ '^update_\w+_updated_at$' and t.tgfoid::regprocedure::text = 'public.update_updated_at_column()')
    )
  );

-- check none: a function that everybody may call, or that runs with its owner's rights or its caller's search_path
select p.oid::regprocedure
from pg_proc as p
where p.pronamespace = 'public'::regnamespace
  and (
    p.prosecdef
    or coalesce(p.proconfig::text, '') !~ 'search_path='
    or exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as x where x.grantee = 0)
  );

-- check none: a schema, or this database, where everybody may create something, or default privileges that open more
select 'schema ' || n.nspname
from pg_namespace as n
cross join aclexplode(n.nspacl) as x
where x.privilege_type = 'CREATE' and x.grantee = 0
union all
select 'this database'
from pg_database as d
cross join aclexplode(d.datacl) as x
where d.datname = current_database() and x.privilege_type = 'CREATE' and x.grantee = 0
union all
select 'default privileges'
from pg_default_acl as d
cross join aclexplode(d.defaclacl) as x
where x.grantee = 0 and d.defaclobjtype in ('r', 'S');

-- check none: a setting of the database that says who is asking or what is seen
select setting
from pg_db_role_setting as s
join pg_database as d on d.oid = s.setdatabase and d.datname = current_database()
cross join unnest(s.setconfig) as setting
where s.setrole = 0
  and (
    setting ~* '^(role|row_security|session_replication_role|session_authorization)='
    or setting ~ '^[^=]*\.' and setting !~ '^(auto_explain|pg_stat_statements|pgaudit|plpgsql|pg_hint_plan|timescaledb|cron)\.'
  );

-- check none: a view, a copy of rows, or a publication that sends them out
select c.oid::regclass::text
from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('v', 'm', 'f')
union all
select p.pubname
from pg_publication as p
where p.puballtables
  or exists (select from pg_publication_namespace as n where n.pnpubid = p.oid)
  or exists (select from pg_publication_rel as m where m.prpubid = p.oid);

-- check none: a table without a primary key, or that a crash would empty
select c.oid::regclass
from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  and (
    c.relpersistence = 'u'
    or not exists (select from pg_constraint as k where k.conrelid = c.oid and k.contype = 'p')
  );

-- check none: a trigger or a foreign key that does not fire, or a rule that rewrites what is written
select t.tgrelid::regclass, t.tgname
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid
where c.relnamespace = 'public'::regnamespace and t.tgenabled <> 'O'
union all
select w.ev_class::regclass, w.rulename
from pg_rewrite as w
join pg_class as c on c.oid = w.ev_class
where c.relnamespace = 'public'::regnamespace and w.rulename <> '_RETURN';

-- check none: a constraint that is not validated, or is checked late by itself
select k.conrelid::regclass, k.conname
from pg_constraint as k
where k.connamespace = 'public'::regnamespace and (not k.convalidated or k.condeferred);

-- check none: a sequence that comes around, or ends before its type does
select s.seqrelid::regclass
from pg_sequence as s
join pg_class as c on c.oid = s.seqrelid
where c.relnamespace = 'public'::regnamespace
  and (
    s.seqcycle
    or s.seqmax < case s.seqtypid when 'integer'::regtype then 2147483647 else 9223372036854775807 end
  );

-- check none: a column of a type that loses something: a fixed length, a short number, the fraction of a time
select a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type as t on t.oid = a.atttypid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  and (
    a.attcollation <> t.typcollation
    or t.typcategory = 'D' and a.atttypmod >= 0
    or a.attname ~ '_at$' and a.atttypid <> 'timestamp'::regtype
    or a.atttypid = 'numeric'::regtype and (a.atttypmod - 4) & 2047 = 0
    or t.typtype <> 'e' and a.atttypid not in (
      'uuid'::regtype, 'text'::regtype, 'varchar'::regtype, 'integer'::regtype, 'numeric'::regtype,
      'boolean'::regtype, 'date'::regtype, 'timestamp'::regtype, 'json'::regtype
    )
  );
