-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- The ids of the checks are negative: no sequence gives those.
insert into public.users (id, name, email)
values
  (-500001, 'Ann', 'ann@verify.invalid'),
  (-500002, 'Bob', 'bob@verify.invalid'),
  (-500003, 'Cy', 'cy@verify.invalid');

-- check: a user with a name and an address: the defaults, and the next id
insert into public.users (id, name, email) values (-500091, 'Dee', 'dee@verify.invalid');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'name', 'Dee',
    'email', 'dee@verify.invalid',
    'email_verified', false,
    'image', null,
    'created_at', localtimestamp,
    'updated_at', localtimestamp
  )
  and exists (
    -- Looked up, not drawn: a number that a sequence has given is gone, on a live database too.
    select
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_depend as needs
      on needs.classid = 'pg_catalog.pg_attrdef'::regclass
      and needs.objid = d.oid
    where d.adrelid = 'public.users'::regclass
      and needs.refobjid = pg_get_serial_sequence('public.users', 'id')::regclass
  )
from public.users as made
where email = 'dee@verify.invalid';

-- check error 23505: an address that another user has
update public.users set email = 'bob@verify.invalid' where id = -500001;

-- check error 23505: an id that another user has
update public.users set id = -500002 where id = -500001;

-- check: addresses are compared as they are written
update public.users set email = 'BOB@verify.invalid' where id = -500001 returning true;

-- check error 23502: a user without id
update public.users set id = null where id = -500001;

-- check error 23502: a user without name
update public.users set name = null where id = -500001;

-- check error 23502: a user without email
update public.users set email = null where id = -500001;

-- check error 23502: a user without email_verified
update public.users set email_verified = null where id = -500001;

-- check error 23502: a user without created_at
update public.users set created_at = null where id = -500001;

-- check error 23502: a user without updated_at
update public.users set updated_at = null where id = -500001;

-- check: image may be empty
update public.users
set image = null
where id = -500001
returning true;

-- check: users has these constraints and no other
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'UNIQUE (email)',
  'PRIMARY KEY (id)'
]
from pg_catalog.pg_constraint
where conrelid = 'public.users'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: users has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'users_email_unique UNIQUE btree (email)',
  'users_pkey UNIQUE btree (id)'
]
from pg_catalog.pg_indexes
where schemaname = 'public'
  and indexname in (
    'users_email_unique',
    'users_pkey'
  );

-- check none: a comment of users that is not the design's
-- The table itself has no name in this list.
with design (name, said) as (
  values
    ('', 'Core account information, kept by the sign-in.')
),
found (name, said) as (
  select coalesce(a.attname::text, ''), d.description
  from pg_catalog.pg_description as d
  left join pg_catalog.pg_attribute as a on a.attrelid = d.objoid and a.attnum = d.objsubid
    and a.attnum > 0
  where d.objoid = 'public.users'::regclass
    and d.classoid = 'pg_catalog.pg_class'::regclass
)
(table design except table found)
union all
(table found except table design);

-- check none: a right, another owner, a policy or a trigger on users
with relation as (
  select oid, relname, relkind, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid in (
    'public.users'::regclass,
    pg_get_serial_sequence('public.users', 'id')::regclass
  )
)
select 'owner ' || r.relowner::regrole
from relation as r
where r.relowner <> (
  select typowner from pg_catalog.pg_type where oid = 'public.complexity'::regtype
)
union all
select r.relname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r, aclexplode(r.relacl) as acl
where acl.grantee <> r.relowner
union all
select a.attname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid, aclexplode(a.attacl) as acl
where acl.grantee <> r.relowner
union all
select 'row level security' from relation as r where r.relrowsecurity
union all
select 'policy ' || p.polname
from relation as r
join pg_catalog.pg_policy as p on p.polrelid = r.oid
union all
select 'trigger ' || t.tgname
from relation as r
join pg_catalog.pg_trigger as t on t.tgrelid = r.oid
where not t.tgisinternal;
