-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

insert into public.users (id, email, display_name)
values
  ('5afe0000-0000-4000-8000-000000000042', 'ann@verify.invalid', 'Ann'),
  ('5afe0000-0000-4000-8000-000000000043', 'bob@verify.invalid', 'Bob');
insert into public.magic_links (id, email, token, expires_at)
values
  ('5afe0000-0000-4000-8000-0000000000a1', 'ann@verify.invalid', 'verify-ann', '2001-02-03'),
  ('5afe0000-0000-4000-8000-0000000000b1', 'bob@verify.invalid', 'verify-bob', '2001-02-03');
insert into public.password_resets (id, user_id, token, expires_at)
values
  (
    '5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-000000000042', 'verify-ann',
    '2001-02-03'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b1', '5afe0000-0000-4000-8000-000000000043', 'verify-bob',
    '2001-02-03'
  );
insert into public.sessions (id, user_id, token, expires_at)
values
  (
    '5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-000000000042', 'verify-ann',
    '2001-02-03'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b1', '5afe0000-0000-4000-8000-000000000043', 'verify-bob',
    '2001-02-03'
  );
insert into public.invites (id, code, created_by, used_by)
values
  (
    '5afe0000-0000-4000-8000-0000000000a1', 'VERIFY-5AFE-ANN',
    '5afe0000-0000-4000-8000-000000000042', '5afe0000-0000-4000-8000-000000000043'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b1', 'VERIFY-5AFE-BOB',
    '5afe0000-0000-4000-8000-000000000043', '5afe0000-0000-4000-8000-000000000042'
  );

-- check: a link, a reset and a sign-in begin unused, now
select to_jsonb(link) @> jsonb_build_object('used_at', null, 'created_at', localtimestamp)
  and to_jsonb(reset) @> jsonb_build_object('used_at', null, 'created_at', localtimestamp)
  and to_jsonb(session) @> jsonb_build_object(
    'created_at', localtimestamp,
    'last_activity_at', localtimestamp
  )
from public.magic_links as link, public.password_resets as reset, public.sessions as session
where link.id = '5afe0000-0000-4000-8000-0000000000a1'
  and reset.id = '5afe0000-0000-4000-8000-0000000000a1'
  and session.id = '5afe0000-0000-4000-8000-0000000000a1';

-- check: an invite has not been used, may be for ever, and as often as one likes
select to_jsonb(invite) @> jsonb_build_object(
  'expires_at', null,
  'used_at', null,
  'max_uses', null,
  'current_uses', 0,
  'created_at', localtimestamp
)
from public.invites as invite
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23505: a magic link with the token of another
update public.magic_links
set token = 'verify-bob'
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23505: a reset with the token of another
update public.password_resets
set token = 'verify-bob'
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23505: a sign-in with the token of another
update public.sessions set token = 'verify-bob' where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23505: an invite with the code of another
update public.invites
set code = 'VERIFY-5AFE-BOB'
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23514: an invite for nobody
update public.invites set max_uses = 0 where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23514: an invite used less than never
update public.invites set current_uses = -1 where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check: with a user go the resets, the sign-ins and their own invites; the used one stays
delete from public.users where id = '5afe0000-0000-4000-8000-000000000042';
select not exists (select
from public.password_resets
where id = '5afe0000-0000-4000-8000-0000000000a1')
  and not exists (select from public.sessions where id = '5afe0000-0000-4000-8000-0000000000a1')
  and not exists (select from public.invites where id = '5afe0000-0000-4000-8000-0000000000a1')
  and exists (
    select
    from public.invites
    where id = '5afe0000-0000-4000-8000-0000000000b1'
      and used_by is null
  );

-- check: what password_resets refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
]
from pg_catalog.pg_constraint
where conrelid = 'public.password_resets'::regclass
  and contype = 'f';

-- check: what sessions refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
]
from pg_catalog.pg_constraint
where conrelid = 'public.sessions'::regclass
  and contype = 'f';

-- check: what invites refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE CASCADE',
  'FOREIGN KEY (used_by) REFERENCES public.users(id) ON DELETE SET NULL'
]
from pg_catalog.pg_constraint
where conrelid = 'public.invites'::regclass
  and contype = 'f';

-- check: of magic_links these columns may be empty and no other
select array_agg(attname::text order by attnum) = array['used_at', 'ip_address', 'user_agent']
from pg_catalog.pg_attribute
where attrelid = 'public.magic_links'::regclass
  and attnum > 0
  and not attisdropped
  and not attnotnull;

-- check: of password_resets these columns may be empty and no other
select array_agg(attname::text order by attnum) = array['used_at']
from pg_catalog.pg_attribute
where attrelid = 'public.password_resets'::regclass
  and attnum > 0
  and not attisdropped
  and not attnotnull;

-- check: of sessions these columns may be empty and no other
select array_agg(attname::text order by attnum) = array['ip_address', 'user_agent']
from pg_catalog.pg_attribute
where attrelid = 'public.sessions'::regclass
  and attnum > 0
  and not attisdropped
  and not attnotnull;

-- check: of invites these columns may be empty and no other
select array_agg(attname::text order by attnum)
  = array['used_by', 'expires_at', 'used_at', 'max_uses']
from pg_catalog.pg_attribute
where attrelid = 'public.invites'::regclass
  and attnum > 0
  and not attisdropped
  and not attnotnull;

-- check none: a right, another owner, a policy or a trigger on these tables
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid in (
    'public.magic_links'::regclass,
    'public.password_resets'::regclass,
    'public.sessions'::regclass,
    'public.invites'::regclass
  )
)
select r.relname || ': owner ' || r.relowner::regrole
from relation as r
where r.relowner <> (
  select proowner
  from pg_catalog.pg_proc
  where oid = 'public.update_updated_at_column()'::regprocedure
)
union all
select r.relname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r, aclexplode(r.relacl) as acl
where acl.grantee <> r.relowner
union all
select r.relname || '.' || a.attname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid, aclexplode(a.attacl) as acl
where acl.grantee <> r.relowner
union all
select r.relname || ': row level security' from relation as r where r.relrowsecurity
union all
select r.relname || ': policy ' || p.polname
from relation as r
join pg_catalog.pg_policy as p on p.polrelid = r.oid
union all
select r.relname || ': trigger ' || t.tgname
from relation as r
join pg_catalog.pg_trigger as t on t.tgrelid = r.oid
where not t.tgisinternal;
