-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

insert into public.users (id, clerk_id, email, username, display_name)
values
  ('5afe0000-0000-4000-8000-000000000042', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  ('5afe0000-0000-4000-8000-000000000043', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');

-- check: an account with what it cannot do without: the defaults, and an id of its own
insert into public.users (clerk_id, email, username, display_name)
values ('user_verify_dee', 'dee@verify.invalid', 'verify_dee', 'Dee');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'clerk_id', 'user_verify_dee',
    'email', 'dee@verify.invalid',
    'username', 'verify_dee',
    'display_name', 'Dee',
    'created_at', localtimestamp,
    'updated_at', localtimestamp
  )
  and id <> '5afe0000-0000-4000-8000-000000000042'
from public.users as made
where clerk_id = 'user_verify_dee';

-- check error 23505: a Clerk id that another account has
update public.users set clerk_id = 'user_verify_bob' where id = '5afe0000-0000-4000-8000-000000000042';

-- check error 23505: an address that another account has
update public.users set email = 'bob@verify.invalid' where id = '5afe0000-0000-4000-8000-000000000042';

-- check error 23505: a name that another account has
update public.users set username = 'verify_bob' where id = '5afe0000-0000-4000-8000-000000000042';

-- check: public.users has these constraints and no other
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'UNIQUE (clerk_id)',
  'UNIQUE (email)',
  'PRIMARY KEY (id)',
  'UNIQUE (username)'
]
from pg_catalog.pg_constraint
where conrelid = 'public.users'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: public.users has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'users_clerk_id_unique UNIQUE btree (clerk_id)',
  'users_email_unique UNIQUE btree (email)',
  'users_pkey UNIQUE btree (id)',
  'users_username_unique UNIQUE btree (username)'
]
from pg_catalog.pg_indexes
where schemaname in ('public', 'feature_planner')
  and indexname in (
    'users_clerk_id_unique',
    'users_email_unique',
    'users_pkey',
    'users_username_unique'
  );

-- check: public.users cannot be without these columns, and can be without all others
select array_agg(attname::text order by attname collate "C") = array[
  'clerk_id',
  'created_at',
  'display_name',
  'email',
  'id',
  'updated_at',
  'username'
]
from pg_catalog.pg_attribute
where attrelid = 'public.users'::regclass
  and attnum > 0
  and attnotnull;

-- check: users says what it is, and what a Clerk id is
select obj_description('public.users'::regclass, 'pg_class')
    = 'The accounts of the site; Clerk signs them in.'
  and count(*) = 1
  and bool_and(description = 'The `sub` of the tokens that Clerk issues.')
from pg_catalog.pg_description
where objoid = 'public.users'::regclass
  and classoid = 'pg_catalog.pg_class'::regclass
  and objsubid > 0;

-- The types may have moved with the planner.
-- check none: a right, another owner, a policy or a trigger on public.users
set local search_path = feature_planner, public;
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'public.users'::regclass
)
select 'owner ' || r.relowner::regrole
from relation as r
where r.relowner <> (
  select typowner from pg_catalog.pg_type where oid = 'complexity'::regtype
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
