-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- Ann and Bob have signed in once.
insert into public.users (id, clerk_user_id, email, name, subscription_tier, updated_at)
values
  (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'Ann', 'free', '2000-01-01 00:00:00+00'),
  (:'bob', 'user_verify_bob', 'bob@verify.invalid', 'Bob', 'pro', '2000-01-01 00:00:00+00');

-- check as cid: whoever is new makes their own row, with nothing but the Clerk id and an address
insert into public.users (clerk_user_id, email) values ('user_verify_cid', 'cid@verify.invalid');
select to_jsonb(person) - 'id' = jsonb_build_object(
  'clerk_user_id', 'user_verify_cid', 'email', 'cid@verify.invalid', 'name', null, 'subscription_tier', null,
  'created_at', now(), 'updated_at', now()
)
from public.users as person;

-- check: every person has an id of their own
insert into public.users (clerk_user_id, email)
values ('user_verify_cid', 'cid@verify.invalid'), ('user_verify_dot', 'dot@verify.invalid');
select count(distinct id) = 2 from public.users where clerk_user_id in ('user_verify_cid', 'user_verify_dot');

-- check error 42501 as ann: a user makes the row of somebody else, before they sign in themselves
insert into public.users (clerk_user_id, email) values ('user_verify_cid', 'cid@verify.invalid');

-- check error 42501 as cid: a user who is new chooses a tier
insert into public.users (clerk_user_id, email, subscription_tier)
values ('user_verify_cid', 'cid@verify.invalid', 'pro');

-- check as ann: a user sees one person, themselves
select array_agg(id) = array[:'ann']::uuid[] from public.users;

-- check as ann: a user changes their own name
update public.users set name = 'Anna', updated_at = now() where id = :'ann';
select name = 'Anna' and updated_at = now() from public.users;

-- Without a where clause only the update policy stands between the caller and other people's rows:
-- a condition would read columns, and reading brings in the select policy. Should the policy be
-- broken on a large live table, the timeout ends the statement early, which fails the check too.
-- check as ann: a user who changes every name within reach changes their own only
set local statement_timeout = '5s';
update public.users set name = 'Mine';
reset role;
select array_agg(name order by id) = array['Mine', 'Bob'] from public.users where id in (:'ann', :'bob');

-- check error 42501 as ann: a user becomes somebody else
update public.users set clerk_user_id = 'user_verify_cid';

-- check error 42501 as ann: a user changes their own address
update public.users set email = 'anna@verify.invalid';

-- check error 42501 as ann: a user takes a better tier
update public.users set subscription_tier = 'pro';

-- check error 42501 as ann: a user deletes their own row
delete from public.users;

-- check as ann: a token without a subject sees nobody
select set_config('request.jwt.claims', '{"role": "authenticated"}', true);
select count(*) = 0 from public.users;

-- check as ann: a token that says nothing sees nobody
select set_config('request.jwt.claims', '', true);
select count(*) = 0 from public.users;

-- check as ann: a subject that nobody has sees nobody
select set_config('request.jwt.claims', '{"sub": "user_verify_nobody", "role": "authenticated"}', true);
select count(*) = 0 from public.users;

-- check as ann: the uuid of a person opens nothing, only the Clerk id does
select set_config('request.jwt.claims', jsonb_build_object('sub', :'ann')::text, true);
select count(*) = 0 from public.users;

-- There are people whose Clerk ids are what the tokens below would be read as.
-- check none: a token whose subject is no text with something in it, and that is somebody all the same
insert into public.users (clerk_user_id, email)
select subject, subject || '@verify.invalid'
from unnest(array['true', '70000000000000007', 'null', '["user_verify_ann"]', '{}']) as listed (subject);
create temporary table mistaken (claims text, clerk_user_id text);
grant insert on mistaken to authenticated;
-- as: ann
do $$
declare
  given text;
begin
  foreach given in array array[
    '{"sub": null}', '{"sub": ""}', '{"sub": "   "}', '{"sub": "\t\n"}', '{"sub": "\u00a0"}',
    '{"sub": "\u2003"}', '{"sub": "\u200b"}', '{"sub": true}', '{"sub": 70000000000000007}',
    '{"sub": []}', '{"sub": ["user_verify_ann"]}', '{"sub": {}}',
    '{"sub": {"sub": "user_verify_ann"}}', '{"Sub": "user_verify_ann"}', '"user_verify_ann"', '["sub", "user_verify_ann"]', 'null', '7'
  ] loop
    perform set_config('request.jwt.claims', given, true);
    insert into mistaken
    select given, clerk_user_id
    from public.users
    limit 5;
  end loop;
end
$$;
reset role;
select claims, clerk_user_id from mistaken;

-- check none: a subject that resembles somebody's, or comes with that one's address and name
create temporary table mistaken (claims text, clerk_user_id text);
grant insert on mistaken to authenticated;
-- as: ann
do $$
declare
  given text;
begin
  foreach given in array array[
    '{"sub": "USER_VERIFY_ANN"}', '{"sub": "user_verify_ann "}', '{"sub": " user_verify_ann"}',
    '{"sub": "user_verify_ann\n"}', '{"sub": "user_verify_an"}', '{"sub": "user_verify_ann_"}',
    '{"sub": "user%"}', '{"sub": "ann@verify.invalid"}', '{"sub": "Ann"}',
    '{"email": "ann@verify.invalid", "name": "Ann"}',
    '{"sub": "user_verify_nobody", "email": "ann@verify.invalid", "name": "Ann"}',
    '{"sub": "", "email": "ann@verify.invalid", "user_id": "user_verify_ann", "role": "service_role"}'
  ] loop
    perform set_config('request.jwt.claims', given, true);
    insert into mistaken
    select given, clerk_user_id
    from public.users
    limit 5;
  end loop;
end
$$;
reset role;
select claims, clerk_user_id from mistaken;

-- check error 42501 as ann: a token with an empty subject makes a row for it
select set_config('request.jwt.claims', '{"sub": ""}', true);
insert into public.users (clerk_user_id, email) values ('', 'nobody@verify.invalid');

-- check error 42501 as ann: a token with a blank subject makes a row for it
select set_config('request.jwt.claims', '{"sub": "   "}', true);
insert into public.users (clerk_user_id, email) values ('   ', 'nobody@verify.invalid');

-- check error 42501 as ann: a token with a number for a subject makes a row for it
select set_config('request.jwt.claims', '{"sub": 70000000000000007}', true);
insert into public.users (clerk_user_id, email) values ('70000000000000007', 'nobody@verify.invalid');

-- check error 23514: a person whose Clerk id is empty
update public.users set clerk_user_id = '' where id = :'bob';

-- check error 23514: a person whose Clerk id is blank
update public.users set clerk_user_id = E'\u00a0' where id = :'bob';

-- check error 23514: a person whose Clerk id has a line break behind it
update public.users set clerk_user_id = E'user_verify_bob\n' where id = :'bob';

-- check error 23514: a person whose Clerk id is longer than a subject can be
update public.users set clerk_user_id = repeat('x', 256) where id = :'bob';

-- check: a person whose Clerk id is as long as a subject can be is somebody
update public.users set clerk_user_id = repeat('~', 255) where id = :'bob';
-- as: ann
select set_config('request.jwt.claims', jsonb_build_object('sub', repeat('~', 255))::text, true);
select array_agg(id) = array[:'bob']::uuid[] from public.users;

-- check error 42501 as visitor: a visitor reads people
select id from public.users;

-- check error 42501 as visitor: a visitor makes a person
insert into public.users (clerk_user_id, email) values ('user_verify_cid', 'cid@verify.invalid');

-- check as service: service_role sees everybody and changes what people themselves may not
update public.users set subscription_tier = 'starter', email = 'new-' || email where id in (:'ann', :'bob');
select array_agg(subscription_tier || ' ' || email order by id) = array[
  'starter new-ann@verify.invalid',
  'starter new-bob@verify.invalid'
] from public.users where id in (:'ann', :'bob');

-- check as service: service_role makes and deletes anyone
insert into public.users (id, clerk_user_id, email) values (gen_random_uuid(), 'user_verify_cid', 'cid@verify.invalid');
delete from public.users where id = :'bob';
select array_agg(clerk_user_id order by clerk_user_id) = array['user_verify_ann', 'user_verify_cid']
from public.users where clerk_user_id in ('user_verify_ann', 'user_verify_bob', 'user_verify_cid');

-- check error 23505: two people of one Clerk id
update public.users set clerk_user_id = 'user_verify_ann' where id = :'bob';

-- check error 23505: two people of one address
update public.users set email = 'ann@verify.invalid' where id = :'bob';

-- check error 23502: a person without a Clerk id
insert into public.users (email) values ('cid@verify.invalid');

-- check error 23502: a person without an address
insert into public.users (clerk_user_id) values ('user_verify_cid');

-- stamp: owner_policies(table="users", owner="clerk_user_id", commands=["select", "insert", "update"],
--   names={"update": "users_update_own_profile"},
--   caller="(select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$')")
-- stamped: owner_policies sha256:8d715048d11a168c  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.users has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'users');

-- check: select, insert and update on public.users by authenticated: exactly the stamped policies
create temporary table users (like public.users);

-- Another role than the migrating one makes them, where there is one that can. On Supabase every policy that `postgres` makes,
-- on a temporary table too, locks the tables of auth, storage and realtime until the transaction ends.
create function pg_temp.hand_over(copy pg_catalog.text, wanted pg_catalog.text, named pg_catalog.text[])
returns pg_catalog.void language plpgsql as $$
declare
  path pg_catalog.text := pg_catalog.current_setting('search_path');
  -- "$user" in it is the migrating role: what it stands for is kept.
  schemas pg_catalog.name[] := pg_catalog.current_schemas(false);
  maker pg_catalog.name;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  select r.rolname into maker
  from pg_roles as r
  cross join (values (case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end)) as may (become)
  where r.rolname in (wanted, 'authenticated', 'service_role', 'anon') and r.rolname <> current_user
    and pg_has_role(session_user, r.oid, may.become) and pg_has_role(current_user, r.oid, may.become)
    and has_database_privilege(r.oid, current_database(), 'temporary')
    and not exists (
      select from pg_namespace as n
      where (n.nspname = any (named) or n.nspname = any (schemas)) and not has_schema_privilege(r.oid, n.oid, 'usage')
    )
  order by r.rolname = wanted desc, r.rolname
  limit 1;
  if maker is not null then
    execute format('alter table pg_temp.%I owner to %I', copy, maker);
    perform set_config('role', maker, true);
    path := (select string_agg(quote_ident(s.name), ', ' order by s.place) from unnest(schemas) with ordinality as s (name, place));
  end if;
  perform set_config('search_path', coalesce(path, ''), true);
end
$$;
select pg_temp.hand_over('users', 'authenticated', array['auth']::pg_catalog.text[]);

create policy users_select_own
  on pg_temp.users
  for select
  to authenticated
  using (clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$'));

create policy users_insert_own
  on pg_temp.users
  for insert
  to authenticated
  with check (clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$'));

create policy users_update_own_profile
  on pg_temp.users
  for update
  to authenticated
  using (clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$'))
  with check (clerk_user_id = (select auth.jwt() ->> 'sub' where jsonb_typeof(auth.jwt() -> 'sub') = 'string' and auth.jwt() ->> 'sub' ~ '^[!-~]+$'));

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;
with expected as (
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'users'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'users')
    and (
      p.policyname in (select e.policyname from expected as e)
      or lower(p.cmd) in ('all', 'select', 'insert', 'update') and exists (
        select from unnest(p.roles) as granted (name) left join pg_roles as g on g.rolname = granted.name
        where granted.name = 'public' or exists (
          select from pg_roles as r where r.rolname in ('authenticated', 'anon') and pg_has_role(r.oid, g.oid, 'usage')
        )
      )
    )
)
select
  (e.permissive, e.roles, e.cmd, e.qual, e.with_check)
    is not distinct from (f.permissive, f.roles, f.cmd, f.qual, f.with_check) as as_stamped,
  coalesce(e.policyname, f.policyname) as policy,
  case
    when f.policyname is null then 'missing'
    when e.policyname is null then 'opens the same command'
    else concat_ws(
      ', ',
      case when f.permissive <> e.permissive then lower(f.permissive) end, case when f.cmd <> e.cmd then 'for ' || lower(f.cmd) end,
      case when f.roles <> e.roles then 'to ' || array_to_string(f.roles, ', ') end,
      case when f.qual is distinct from e.qual then 'using ' || coalesce(f.qual, 'nothing') end,
      case when f.with_check is distinct from e.with_check then 'with check ' || coalesce(f.with_check, 'nothing') end
    )
  end as difference
from expected as e full join found as f using (policyname)
order by as_stamped, policy;

-- check: an index begins with every column that the policies of public.users read
set local search_path = pg_catalog, pg_temp;
select exists (
  select from pg_index as i
  join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  join pg_class as c on c.oid = i.indrelid join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname, a.attname) = (r.schema_name, r.table_name, r.column_name) and i.indisvalid and i.indpred is null
) as indexed, r.*
from (
  values
    ('public', 'users', 'clerk_user_id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: service_policies(table="users", commands=["select", "insert", "update", "delete"])
-- stamped: service_policies sha256:9bed3da028941e34  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.users has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'users');

-- check: select, insert, update and delete on public.users by service_role: exactly the stamped policies
create temporary table users (like public.users);

-- Another role than the migrating one makes them, where there is one that can. On Supabase every policy that `postgres` makes,
-- on a temporary table too, locks the tables of auth, storage and realtime until the transaction ends.
create function pg_temp.hand_over(copy pg_catalog.text, wanted pg_catalog.text, named pg_catalog.text[])
returns pg_catalog.void language plpgsql as $$
declare
  path pg_catalog.text := pg_catalog.current_setting('search_path');
  -- "$user" in it is the migrating role: what it stands for is kept.
  schemas pg_catalog.name[] := pg_catalog.current_schemas(false);
  maker pg_catalog.name;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  select r.rolname into maker
  from pg_roles as r
  cross join (values (case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end)) as may (become)
  where r.rolname in (wanted, 'authenticated', 'service_role', 'anon') and r.rolname <> current_user
    and pg_has_role(session_user, r.oid, may.become) and pg_has_role(current_user, r.oid, may.become)
    and has_database_privilege(r.oid, current_database(), 'temporary')
    and not exists (
      select from pg_namespace as n
      where (n.nspname = any (named) or n.nspname = any (schemas)) and not has_schema_privilege(r.oid, n.oid, 'usage')
    )
  order by r.rolname = wanted desc, r.rolname
  limit 1;
  if maker is not null then
    execute format('alter table pg_temp.%I owner to %I', copy, maker);
    perform set_config('role', maker, true);
    path := (select string_agg(quote_ident(s.name), ', ' order by s.place) from unnest(schemas) with ordinality as s (name, place));
  end if;
  perform set_config('search_path', coalesce(path, ''), true);
end
$$;
select pg_temp.hand_over('users', 'service_role', array[]::pg_catalog.text[]);

create policy users_select_service
  on pg_temp.users
  for select
  to service_role
  using (true);

create policy users_insert_service
  on pg_temp.users
  for insert
  to service_role
  with check (true);

create policy users_update_service
  on pg_temp.users
  for update
  to service_role
  using (true)
  with check (true);

create policy users_delete_service
  on pg_temp.users
  for delete
  to service_role
  using (true);

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;
with expected as (
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'users'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'users')
    and (
      p.policyname in (select e.policyname from expected as e)
      or lower(p.cmd) in ('all', 'select', 'insert', 'update', 'delete') and exists (
        select from unnest(p.roles) as granted (name) left join pg_roles as g on g.rolname = granted.name
        where granted.name = 'public' or exists (
          select from pg_roles as r where r.rolname in ('service_role') and pg_has_role(r.oid, g.oid, 'usage')
        )
      )
    )
)
select
  (e.permissive, e.roles, e.cmd, e.qual, e.with_check)
    is not distinct from (f.permissive, f.roles, f.cmd, f.qual, f.with_check) as as_stamped,
  coalesce(e.policyname, f.policyname) as policy,
  case
    when f.policyname is null then 'missing'
    when e.policyname is null then 'opens the same command'
    else concat_ws(
      ', ',
      case when f.permissive <> e.permissive then lower(f.permissive) end, case when f.cmd <> e.cmd then 'for ' || lower(f.cmd) end,
      case when f.roles <> e.roles then 'to ' || array_to_string(f.roles, ', ') end,
      case when f.qual is distinct from e.qual then 'using ' || coalesce(f.qual, 'nothing') end,
      case when f.with_check is distinct from e.with_check then 'with check ' || coalesce(f.with_check, 'nothing') end
    )
  end as difference
from expected as e full join found as f using (policyname)
order by as_stamped, policy;
-- end stamp

-- stamp: grants(table="users",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update", "delete"]},
--   columns={"authenticated": {"insert": ["clerk_user_id", "email", "name"],
--   "update": ["name", "updated_at"]}})
-- stamped: grants sha256:0020bbb14ded3747  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.users exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'authenticated', '', unnest(array['select'])
  union all select 'service_role', '', unnest(array['select', 'insert', 'update', 'delete'])
  union all select 'authenticated', unnest(array['clerk_user_id', 'email', 'name']), 'insert'
  union all select 'authenticated', unnest(array['name', 'updated_at']), 'update'
),
target as (
  select c.* from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname) = ('public', 'users')
),
found as (
  select
    coalesce(r.rolname, 'public')::text as grantee,
    acls.column_name,
    lower(entry.privilege_type) || case when entry.is_grantable then ' with grant option' else '' end as privilege
  from target as t
  cross join lateral (
    select '', t.relacl
    union all select a.attname::text, a.attacl from pg_attribute as a where a.attrelid = t.oid and not a.attisdropped
  ) as acls (column_name, acl)
  cross join aclexplode(acls.acl) as entry
  left join pg_roles as r on r.oid = entry.grantee
  where entry.grantee <> t.relowner
),
differences as (
  select grantee, privilege, column_name, case when f.grantee is null then 'missing' else 'not granted here' end as difference
  from stamped as s full join found as f using (grantee, column_name, privilege)
  where s.grantee is null or f.grantee is null
)
select d.grantee is null as as_granted, d.*
from target as t left join differences as d on d.grantee in ('public', 'anon', 'authenticated', 'service_role');
-- end stamp
