-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- Ann and Bob sign up. Ann is the caller of every check that acts as a user.
insert into auth.users (id, email, raw_user_meta_data)
values
  ('5afe0000-0000-4000-8000-00000000000a', 'ann@verify.invalid', '{"display_name": "Ann"}'),
  ('5afe0000-0000-4000-8000-00000000000b', 'Bob@verify.invalid', null);
select set_config(
  'request.jwt.claims',
  '{"sub": "5afe0000-0000-4000-8000-00000000000a", "role": "authenticated"}',
  true
);

-- check: whoever signs up gets a profile with the address, the chosen name and the free tier
select to_jsonb(profile) = jsonb_build_object(
  'id', '5afe0000-0000-4000-8000-00000000000a',
  'email', 'ann@verify.invalid',
  'display_name', 'Ann',
  'avatar_url', null,
  'tier', 'free',
  'sessions_used', 0,
  'sessions_limit', 3,
  'stripe_customer_id', null,
  'created_at', now(),
  'updated_at', now()
)
from public.profiles as profile
where id = '5afe0000-0000-4000-8000-00000000000a';

-- check: without any metadata the name is the address up to the @, as it was written
select display_name = 'Bob' and email = 'Bob@verify.invalid'
from public.profiles
where id = '5afe0000-0000-4000-8000-00000000000b';

-- check: metadata that says nothing of a name gives the address up to the @ as well
insert into auth.users (id, email, raw_user_meta_data)
values ('5afe0000-0000-4000-8000-00000000000c', 'cid@verify.invalid', '{"theme": "dark"}');
select display_name = 'cid'
from public.profiles
where id = '5afe0000-0000-4000-8000-00000000000c';

-- check: nobody who signs up can slip a function of their own under the trigger
create schema verify_decoy;
create function verify_decoy.split_part(text, text, integer)
returns text
language sql
return 'decoy';
set local search_path = verify_decoy, pg_catalog;
insert into auth.users (id, email)
values ('5afe0000-0000-4000-8000-00000000000c', 'cid@verify.invalid');
select display_name = 'cid'
from public.profiles
where id = '5afe0000-0000-4000-8000-00000000000c';

-- check none: an account whose address no profile has, older than the trigger or not
select account.id
from auth.users as account
where account.email is not null
  and not exists (select from public.profiles where profiles.id = account.id)
  and not exists (select from public.profiles where profiles.email = account.email)
limit 5;

-- Later both may change. What this transaction has made is what the two people above have, and, in
-- the migration's own transaction, what the accounts that are older than it have got.
-- check none: a new profile that says other things than its account does, or too much
select profile.id
from public.profiles as profile
join auth.users as account using (id)
where profile.created_at = now()
  and (
    profile.email,
    profile.display_name,
    profile.avatar_url,
    profile.tier,
    profile.sessions_used,
    profile.sessions_limit,
    profile.stripe_customer_id
  ) is distinct from (
    account.email::text,
    coalesce(account.raw_user_meta_data ->> 'display_name', split_part(account.email, '@', 1)),
    null,
    'free',
    0,
    3,
    null
  )
limit 5;

-- check none: a new profile that another account has a better claim to, by being older
select profile.id
from public.profiles as profile
join auth.users as account using (id)
join auth.users as other on other.email = account.email and other.id <> account.id
where profile.created_at = now()
  and profile.email = account.email::text
  and (other.created_at, other.id) < (account.created_at, account.id)
limit 5;

-- Single sign-on is what can bring an address again: auth.users allows that.
-- check error 23505: a second account of one address signs up
insert into auth.users (id, email, is_sso_user)
values ('5afe0000-0000-4000-8000-00000000000c', 'ann@verify.invalid', true);

-- check error 23502: an account without an address signs up
insert into auth.users (id, phone)
values ('5afe0000-0000-4000-8000-00000000000c', 'verify');

-- check: an account that is deleted takes its profile along, and no other
delete from auth.users where id = '5afe0000-0000-4000-8000-00000000000a';
select array_agg(id) = '{5afe0000-0000-4000-8000-00000000000b}'
from public.profiles
where id in ('5afe0000-0000-4000-8000-00000000000a', '5afe0000-0000-4000-8000-00000000000b');

-- check error 23503: a profile without an account
insert into public.profiles (id, email)
values ('5afe0000-0000-4000-8000-00000000000c', 'cid@verify.invalid');

-- check error 23505: two profiles of one address
update public.profiles
set email = 'ann@verify.invalid'
where id = '5afe0000-0000-4000-8000-00000000000b';

-- check error 23502: a profile without an address
update public.profiles
set email = null
where id = '5afe0000-0000-4000-8000-00000000000a';

-- check error 23514: a tier that is not sold
update public.profiles
set tier = 'platinum'
where id = '5afe0000-0000-4000-8000-00000000000a';

-- check: each tier of the price list
create temporary table sold (tier text);
do $$
declare
  listed text;
begin
  foreach listed in array array['free', 'starter', 'pro', 'enterprise'] loop
    update public.profiles
    set tier = listed
    where id = '5afe0000-0000-4000-8000-00000000000a';
    insert into sold
    select tier
    from public.profiles
    where id = '5afe0000-0000-4000-8000-00000000000a';
  end loop;
end
$$;
select array_agg(tier) = array['free', 'starter', 'pro', 'enterprise'] from sold;

-- check none: a column that may be empty and should not, or the other way round
select attname
from pg_catalog.pg_attribute
where attrelid = 'public.profiles'::regclass
  and attnum > 0
  and not attisdropped
  and attnotnull = (attname in ('display_name', 'avatar_url', 'stripe_customer_id'));

-- check: a user sees one profile, their own
set local role authenticated;
select array_agg(id) = '{5afe0000-0000-4000-8000-00000000000a}' from public.profiles;

-- check: a user changes name and picture of their own profile, and updated_at follows
delete from public.profiles where id = '5afe0000-0000-4000-8000-00000000000a';
insert into public.profiles (id, email, updated_at)
values ('5afe0000-0000-4000-8000-00000000000a', 'ann@verify.invalid', '2000-01-01 00:00:00+00');
set local role authenticated;
update public.profiles
set display_name = 'Anna', avatar_url = 'https://verify.invalid/anna.png'
where id = '5afe0000-0000-4000-8000-00000000000a';
select display_name = 'Anna' and avatar_url is not null and updated_at = now()
from public.profiles;

-- Without a where clause only the update policy stands between the caller and other people's rows:
-- a condition would read columns, and reading brings in the select policy. Should the policy be
-- broken on a large live table, the timeout ends the statement early, which fails the check too.
-- check: a user who changes every profile within reach changes their own only
set local role authenticated;
set local statement_timeout = '5s';
update public.profiles set display_name = 'Mine';
reset role;
select (id = '5afe0000-0000-4000-8000-00000000000a') = (display_name is not distinct from 'Mine')
from public.profiles
where id in ('5afe0000-0000-4000-8000-00000000000a', '5afe0000-0000-4000-8000-00000000000b');

-- check error 42501: a user takes a better tier
set local role authenticated;
update public.profiles set tier = 'enterprise';

-- check error 42501: a user raises their own limit
set local role authenticated;
update public.profiles set sessions_limit = 1000;

-- check error 42501: a user makes a profile
set local role authenticated;
insert into public.profiles (id, email)
values ('5afe0000-0000-4000-8000-00000000000c', 'cid@verify.invalid');

-- check error 42501: a user deletes their own profile
set local role authenticated;
delete from public.profiles;

-- check error 42501: a visitor reads profiles
set local role anon;
select id from public.profiles;

-- check: a token without a subject sees no profile
select set_config('request.jwt.claims', '{"role": "authenticated"}', true);
set local role authenticated;
select count(*) = 0 from public.profiles;

-- check none: a profile that a token sees by an address, a name or a role, and not by its subject
select set_config(
  'request.jwt.claims',
  jsonb_build_object(
    'sub', '5afe0000-0000-4000-8000-00000000000c',
    'email', 'ann@verify.invalid',
    'name', 'Ann',
    'user_metadata', jsonb_build_object('display_name', 'Ann'),
    'user_id', '5afe0000-0000-4000-8000-00000000000a',
    'role', 'service_role'
  )::text,
  true
);
set local role authenticated;
select id from public.profiles;

-- check: two people of one name see themselves
update public.profiles
set display_name = 'Ann'
where id = '5afe0000-0000-4000-8000-00000000000b';
set local role authenticated;
select array_agg(id) = '{5afe0000-0000-4000-8000-00000000000a}' from public.profiles;

-- check: service_role sees every profile and changes what users may not
set local role service_role;
update public.profiles
set tier = 'pro', sessions_limit = 50
where id in ('5afe0000-0000-4000-8000-00000000000a', '5afe0000-0000-4000-8000-00000000000b');
select count(*) = 2
from public.profiles
where id in ('5afe0000-0000-4000-8000-00000000000a', '5afe0000-0000-4000-8000-00000000000b')
  and tier = 'pro';

-- check error 42501: service_role deletes a profile, whose account would be left with nothing
set local role service_role;
delete from public.profiles where id = '5afe0000-0000-4000-8000-00000000000a';

-- check: service_role gives an account its profile back
delete from public.profiles where id = '5afe0000-0000-4000-8000-00000000000a';
set local role service_role;
insert into public.profiles (id, email, display_name)
values ('5afe0000-0000-4000-8000-00000000000a', 'ann@verify.invalid', 'Ann');
select display_name = 'Ann' and tier = 'free'
from public.profiles
where id = '5afe0000-0000-4000-8000-00000000000a';

-- check: the owner of profiles is exempt from row level security, so that sign-ups get through
select not relforcerowsecurity
from pg_catalog.pg_class
where oid = 'public.profiles'::regclass;

-- check: handle_new_user has its owner's rights, an empty search_path and an owner of no API role
select function.prosecdef
  and function.proconfig = array['search_path=""']
  and function.prorettype = 'trigger'::regtype
  -- A definer's function may do what its owner may, and its owner may change it.
  and pg_catalog.pg_get_userbyid(function.proowner)
    not in ('anon', 'authenticated', 'authenticator', 'service_role')
from pg_catalog.pg_proc as function
where function.oid = 'public.handle_new_user()'::regprocedure;

-- check none: a caller of the API who may call handle_new_user
select coalesce(api.rolname, 'public') as caller
from pg_catalog.pg_proc as function
cross join lateral aclexplode(coalesce(function.proacl, acldefault('f', function.proowner))) as door
left join pg_catalog.pg_roles as api on api.oid = door.grantee
where function.oid = 'public.handle_new_user()'::regprocedure
  and (
    door.grantee = 0
    or api.rolname in ('anon', 'authenticated', 'authenticator', 'service_role')
  );

-- check error 42501: a user writes profiles by attaching handle_new_user to a table of their own
set local role authenticated;
create temporary table bait (id uuid, email text, raw_user_meta_data jsonb);
create trigger hook after insert on bait for each row execute function public.handle_new_user();

-- check error 42501: a visitor calls handle_new_user
set local role anon;
select public.handle_new_user();

-- check: handle_new_user makes a profile for a signer-up who may not write profiles
delete from public.profiles where id = '5afe0000-0000-4000-8000-00000000000a';
create temporary table account (id uuid, email text, raw_user_meta_data jsonb);
create trigger account_created
  after insert on account
  for each row
  execute function public.handle_new_user();
grant insert on account to authenticated;
set local role authenticated;
insert into account
values ('5afe0000-0000-4000-8000-00000000000a', 'ann@verify.invalid', '{"display_name": "Ann"}');
reset role;
select display_name = 'Ann'
from public.profiles
where id = '5afe0000-0000-4000-8000-00000000000a';

-- check: the trigger on auth.users fires after every insert and never else
set local search_path = '';
select tgenabled = 'O'
  and pg_get_triggerdef(oid) = 'CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users '
    'FOR EACH ROW EXECUTE FUNCTION public.handle_new_user()'
from pg_catalog.pg_trigger
where tgrelid = 'auth.users'::regclass and tgname = 'on_auth_user_created';

-- check none: a policy of profiles besides its two
select policyname, cmd, roles
from pg_catalog.pg_policies
where schemaname = 'public'
  and tablename = 'profiles'
  and policyname not in (
    'Users can view own profile',
    'Users can update own profile'
  );

-- check none: a trigger of profiles besides profiles_updated_at
select tgname
from pg_catalog.pg_trigger
where tgrelid = 'public.profiles'::regclass
  and not tgisinternal
  and tgname <> 'profiles_updated_at';

-- check: profiles has these constraints and no other
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname) = array[
  'UNIQUE (email)',
  'FOREIGN KEY (id) REFERENCES auth.users(id) ON DELETE CASCADE',
  'PRIMARY KEY (id)',
  'CHECK ((tier = ANY (ARRAY[''free''::text, ''starter''::text, ''pro''::text, '
  '''enterprise''::text])))'
]
from pg_catalog.pg_constraint
where conrelid = 'public.profiles'::regclass and contype in ('p', 'u', 'f', 'c', 'x');

-- check: profiles has the indexes that its queries rely on
select array_agg(
  indexname || ' ' || substring(indexdef from 'btree .*') order by indexname
) = array[
  'profiles_email_idx btree (email)',
  'profiles_tier_idx btree (tier)'
]
from pg_catalog.pg_indexes
where schemaname = 'public'
  and indexname in ('profiles_email_idx', 'profiles_tier_idx');

-- stamp: owner_policies(table="profiles", owner="id", commands=["select", "update"],
--   names={"select": "Users can view own profile", "update": "Users can update own profile"})
-- stamped: owner_policies sha256:3feda8e47b58fe7f  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.profiles has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'public'
  and c.relname = 'profiles';

-- check: select and update on public.profiles by authenticated: exactly the stamped policies
create temporary table profiles (like public.profiles);

-- Another role than the migrating one makes them, where there is one that can. On Supabase every policy that `postgres` makes,
-- on a temporary table too, locks the tables of auth, storage and realtime until the transaction ends.
create function pg_temp.hand_over(copy pg_catalog.text, wanted pg_catalog.text, named pg_catalog.text[])
returns pg_catalog.void
language plpgsql
as $$
declare
  authors_path pg_catalog.text := pg_catalog.current_setting('search_path');
  -- "$user" in it is the migrating role: what it stands for is kept.
  schemas pg_catalog.name[] := pg_catalog.current_schemas(false);
  maker pg_catalog.name;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  select r.rolname into maker
  from pg_roles as r
  cross join (
    select case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end
  ) as may (become)
  where r.rolname in (wanted, 'authenticated', 'service_role', 'anon')
    and r.rolname <> current_user
    and pg_has_role(session_user, r.oid, may.become)
    and pg_has_role(current_user, r.oid, may.become)
    and has_database_privilege(r.oid, current_database(), 'temporary')
    and not exists (
      select
      from pg_namespace as n
      where (n.nspname = any (named) or n.nspname = any (schemas))
        and not has_schema_privilege(r.oid, n.oid, 'usage')
    )
  order by r.rolname = wanted desc, r.rolname
  limit 1;
  if maker is null then
    perform set_config('search_path', authors_path, true);
    return;
  end if;
  execute format('alter table pg_temp.%I owner to %I', copy, maker);
  perform
    set_config('role', maker, true),
    set_config('search_path', coalesce(string_agg(quote_ident(s.name), ', ' order by s.place), ''), true)
  from unnest(schemas) with ordinality as s (name, place);
end
$$;
select pg_temp.hand_over('profiles', 'authenticated', array['auth']::pg_catalog.text[]);

create policy "Users can view own profile"
  on pg_temp.profiles
  for select
  to authenticated
  using (id = (select auth.uid()));

create policy "Users can update own profile"
  on pg_temp.profiles
  for update
  to authenticated
  using (id = (select auth.uid()))
  with check (id = (select auth.uid()));

reset role;
-- The server prints both sets by the same rules, so what differs here differs in meaning; and the names below are its own,
-- whoever may create something in a schema of the search_path.
set local search_path = pg_catalog, pg_temp;

with expected as (
  select p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
  from pg_catalog.pg_policies as p
  join pg_catalog.pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema()
    and p.tablename = 'profiles'
),
found as (
  select p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
  from pg_catalog.pg_policies as p
  where p.schemaname = 'public'
    and p.tablename = 'profiles'
    and (
      p.policyname in (select e.policyname from expected as e)
      or lower(p.cmd) in ('all', 'select', 'update')
      and exists (
        select
        from unnest(p.roles) as granted (name)
        left join pg_catalog.pg_roles as g on g.rolname = granted.name
        where granted.name = 'public'
          or exists (
            select
            from pg_catalog.pg_roles as r
            where r.rolname in ('authenticated', 'anon')
              and pg_has_role(r.oid, g.oid, 'usage')
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
      case when f.permissive <> e.permissive then lower(f.permissive) end,
      case when f.cmd <> e.cmd then 'for ' || lower(f.cmd) end,
      case when f.roles <> e.roles then 'to ' || array_to_string(f.roles, ', ') end,
      case when f.qual is distinct from e.qual then 'using ' || coalesce(f.qual, 'nothing') end,
      case
        when f.with_check is distinct from e.with_check
          then 'with check ' || coalesce(f.with_check, 'nothing')
      end
    )
  end as difference
from expected as e
full join found as f using (policyname)
order by as_stamped, policy;

-- check: an index begins with every column that the policies of public.profiles read
set local search_path = pg_catalog, pg_temp;
select
  exists (
    select
    from pg_catalog.pg_index as i
    join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    join pg_catalog.pg_class as c on c.oid = i.indrelid
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = r.schema_name
      and c.relname = r.table_name
      and a.attname = r.column_name
      and i.indisvalid
      and i.indpred is null
  ) as indexed,
  r.*
from (
  values
    ('public', 'profiles', 'id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: updated_at_trigger(table="profiles")
-- stamped: updated_at_trigger sha256:7a0b4971341898cb  (edit the stamp line or the template, then run pgvouch stamp)
-- check: profiles_updated_at runs public.update_updated_at before every update of a row of public.profiles
set local search_path = pg_catalog, pg_temp;
select
  -- 1 for each row + 2 before + 16 update, and no other event
  t.tgtype = 1 + 2 + 16
  and t.tgenabled = 'O'
  and t.tgqual is null
  and cardinality(t.tgattr::int2[]) = 0
  and pn.nspname = 'public'
  and p.proname = 'update_updated_at' as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_catalog.pg_trigger as t
join pg_catalog.pg_class as c on c.oid = t.tgrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_proc as p on p.oid = t.tgfoid
join pg_catalog.pg_namespace as pn on pn.oid = p.pronamespace
where n.nspname = 'public'
  and c.relname = 'profiles'
  and t.tgname = 'profiles_updated_at'
  and not t.tgisinternal;

-- check: an update of public.profiles sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands.
create temporary table profiles as
  select * from public.profiles with no data;

create trigger profiles_updated_at
  before update on pg_temp.profiles
  for each row
  execute function public.update_updated_at();

-- A time to come, as a client may have written it: what is said of it has to be true afterwards.
insert into pg_temp.profiles (updated_at) values ('2999-01-01');

update pg_temp.profiles set updated_at = '2999-01-01';

set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select
  t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days' as is_now,
  t.updated_at
from pg_temp.profiles as t;
-- end stamp

-- stamp: grants(table="profiles",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update"]},
--   columns={"authenticated": {"update": ["display_name", "avatar_url"]}})
-- stamped: grants sha256:9e2e8ba93e36f7db  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.profiles exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'authenticated', '', 'select'
  union all select 'service_role', '', 'select'
  union all select 'service_role', '', 'insert'
  union all select 'service_role', '', 'update'
  union all select 'authenticated', 'display_name', 'update'
  union all select 'authenticated', 'avatar_url', 'update'
),
target as (
  select c.oid, c.relacl, c.relowner
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'public'
    and c.relname = 'profiles'
),
acls (column_name, acl, relowner) as (
  select '', t.relacl, t.relowner
  from target as t
  union all
  select a.attname, a.attacl, t.relowner
  from target as t
  join pg_catalog.pg_attribute as a on a.attrelid = t.oid
  where not a.attisdropped
),
found as (
  select
    coalesce(r.rolname, 'public')::text as grantee,
    acls.column_name::text,
    lower(entry.privilege_type)
      || case when entry.is_grantable then ' with grant option' else '' end as privilege
  from acls
  cross join aclexplode(acls.acl) as entry
  left join pg_catalog.pg_roles as r on r.oid = entry.grantee
  where entry.grantee <> acls.relowner
),
differences as (
  select
    coalesce(s.grantee, f.grantee) as grantee,
    coalesce(s.privilege, f.privilege) as privilege,
    coalesce(s.column_name, f.column_name) as column_name,
    case when f.grantee is null then 'missing' else 'not granted here' end as difference
  from stamped as s
  full join found as f using (grantee, column_name, privilege)
  where s.grantee is null or f.grantee is null
)
select d.grantee is null as as_granted, d.*
from target as t
left join differences as d on d.grantee in ('public', 'anon', 'authenticated', 'service_role');
-- end stamp
