-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: cid = '5afe0000-0000-4000-8000-00000000000c'

-- Ann and Bob sign up.
insert into auth.users (id, email, raw_user_meta_data)
values (:'ann', 'ann@verify.invalid', '{"display_name": "Ann"}'), (:'bob', 'Bob@verify.invalid', null);

-- check: whoever signs up gets a profile with the address, the chosen name and the free tier
select to_jsonb(profile) = jsonb_build_object(
  'id', :'ann', 'email', 'ann@verify.invalid', 'display_name', 'Ann', 'avatar_url', null, 'tier', 'free',
  'sessions_used', 0, 'sessions_limit', 3, 'stripe_customer_id', null, 'created_at', now(), 'updated_at', now()
)
from public.profiles as profile where id = :'ann';

-- check: without any metadata the name is the address up to the @, as it was written
select display_name = 'Bob' and email = 'Bob@verify.invalid' from public.profiles where id = :'bob';

-- check: metadata that says nothing of a name gives the address up to the @ as well
insert into auth.users (id, email, raw_user_meta_data) values (:'cid', 'cid@verify.invalid', '{"theme": "dark"}');
select display_name = 'cid' from public.profiles where id = :'cid';

-- check: nobody who signs up can slip a function of their own under the trigger
create schema verify_decoy;
create function verify_decoy.split_part(text, text, integer) returns text language sql return 'decoy';
set local search_path = verify_decoy, pg_catalog;
insert into auth.users (id, email) values (:'cid', 'cid@verify.invalid');
select display_name = 'cid' from public.profiles where id = :'cid';

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
    profile.email, profile.display_name, profile.avatar_url, profile.tier, profile.sessions_used,
    profile.sessions_limit, profile.stripe_customer_id
  ) is distinct from (
    account.email::text, coalesce(account.raw_user_meta_data ->> 'display_name', split_part(account.email, '@', 1)),
    null, 'free', 0, 3, null
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
insert into auth.users (id, email, is_sso_user) values (:'cid', 'ann@verify.invalid', true);

-- check error 23502: an account without an address signs up
insert into auth.users (id, phone) values (:'cid', 'verify');

-- check: an account that is deleted takes its profile along, and no other
delete from auth.users where id = :'ann';
select array_agg(id) = array[:'bob']::uuid[] from public.profiles where id in (:'ann', :'bob');

-- check error 23503: a profile without an account
insert into public.profiles (id, email) values (:'cid', 'cid@verify.invalid');

-- check error 23505: two profiles of one address
update public.profiles set email = 'ann@verify.invalid' where id = :'bob';

-- check error 23502: a profile without an address
update public.profiles set email = null where id = :'ann';

-- check error 23514: a tier that is not sold
update public.profiles set tier = 'platinum' where id = :'ann';

-- check: each tier of the price list
update public.profiles set tier = 'free' where id = :'ann';
update public.profiles set tier = 'starter' where id = :'ann';
update public.profiles set tier = 'pro' where id = :'ann';
update public.profiles set tier = 'enterprise' where id = :'ann';
select tier = 'enterprise' from public.profiles where id = :'ann';

-- check as ann: a user sees one profile, their own
select array_agg(id) = array[:'ann']::uuid[] from public.profiles;

-- check: a user changes name and picture of their own profile, and updated_at follows
delete from public.profiles where id = :'ann';
insert into public.profiles (id, email, updated_at) values (:'ann', 'ann@verify.invalid', '2000-01-01 00:00:00+00');
-- as: ann
update public.profiles set display_name = 'Anna', avatar_url = 'https://verify.invalid/anna.png' where id = :'ann';
select display_name = 'Anna' and avatar_url is not null and updated_at = now() from public.profiles;

-- Without a where clause only the update policy stands between the caller and other people's rows:
-- a condition would read columns, and reading brings in the select policy. Should the policy be
-- broken on a large live table, the timeout ends the statement early, which fails the check too.
-- check as ann: a user who changes every profile within reach changes their own only
set local statement_timeout = '5s';
update public.profiles set display_name = 'Mine';
reset role;
select (id = :'ann') = (display_name is not distinct from 'Mine') from public.profiles where id in (:'ann', :'bob');

-- check error 42501 as ann: a user takes a better tier
update public.profiles set tier = 'enterprise';

-- check error 42501 as ann: a user raises their own limit
update public.profiles set sessions_limit = 1000;

-- check error 42501 as ann: a user makes a profile
insert into public.profiles (id, email) values (:'cid', 'cid@verify.invalid');

-- check error 42501 as ann: a user deletes their own profile
delete from public.profiles;

-- check error 42501 as visitor: a visitor reads profiles
select id from public.profiles;

-- check as ann: a token without a subject sees no profile
select set_config('request.jwt.claims', '{"role": "authenticated"}', true);
select count(*) = 0 from public.profiles;

-- check none as ann: a profile that a token sees by an address, a name or a role, and not by its subject
select set_config(
  'request.jwt.claims',
  jsonb_build_object(
    'sub', :'cid', 'email', 'ann@verify.invalid', 'name', 'Ann',
    'user_metadata', jsonb_build_object('display_name', 'Ann'), 'user_id', :'ann', 'role', 'service_role'
  )::text,
  true
);
select id from public.profiles;

-- check: two people of one name see themselves
update public.profiles set display_name = 'Ann' where id = :'bob';
-- as: ann
select array_agg(id) = array[:'ann']::uuid[] from public.profiles;

-- check as service: service_role sees every profile and changes what users may not
update public.profiles set tier = 'pro', sessions_limit = 50 where id in (:'ann', :'bob');
select count(*) = 2 from public.profiles where id in (:'ann', :'bob') and tier = 'pro';

-- check error 42501 as service: service_role deletes a profile, whose account would be left with nothing
delete from public.profiles where id = :'ann';

-- check: service_role gives an account its profile back
delete from public.profiles where id = :'ann';
-- as: service
insert into public.profiles (id, email, display_name) values (:'ann', 'ann@verify.invalid', 'Ann');
select display_name = 'Ann' and tier = 'free' from public.profiles where id = :'ann';

-- check: the owner of profiles is exempt from row level security, so that sign-ups get through
select not relforcerowsecurity from pg_catalog.pg_class where oid = 'public.profiles'::regclass;

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
  and (door.grantee = 0 or api.rolname in ('anon', 'authenticated', 'authenticator', 'service_role'));

-- check error 42501 as ann: a user writes profiles by attaching handle_new_user to a table of their own
create temporary table bait (id uuid, email text, raw_user_meta_data jsonb);
create trigger hook after insert on bait for each row execute function public.handle_new_user();

-- check error 42501 as visitor: a visitor calls handle_new_user
select public.handle_new_user();

-- check: handle_new_user makes a profile for a signer-up who may not write profiles
delete from public.profiles where id = :'ann';
create temporary table account (id uuid, email text, raw_user_meta_data jsonb);
create trigger account_created after insert on account for each row execute function public.handle_new_user();
grant insert on account to authenticated;
-- as: ann
insert into account values (:'ann', 'ann@verify.invalid', '{"display_name": "Ann"}');
reset role;
select display_name = 'Ann' from public.profiles where id = :'ann';

-- check: the trigger on auth.users fires after every insert and never else
set local search_path = '';
select tgenabled = 'O'
  and pg_get_triggerdef(oid) = 'CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users '
    'FOR EACH ROW EXECUTE FUNCTION public.handle_new_user()'
from pg_catalog.pg_trigger where tgrelid = 'auth.users'::regclass and tgname = 'on_auth_user_created';

-- check: profiles has one trigger, which keeps updated_at
select array_agg(tgname) = '{profiles_updated_at}'
from pg_catalog.pg_trigger where tgrelid = 'public.profiles'::regclass and not tgisinternal;

-- check: profiles has two policies, so nothing is written past the grants
select count(*) = 2 from pg_catalog.pg_policies where (schemaname, tablename) = ('public', 'profiles');

-- stamp: owner_policies(table="profiles", owner="id", commands=["select", "update"],
--   names={"select": "Users can view own profile", "update": "Users can update own profile"})
-- stamped: owner_policies sha256:f299fa874d7dc4a8  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public.profiles has row level security on
set local search_path = pg_catalog, pg_temp;
select c.relrowsecurity from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) = ('public', 'profiles');

-- check: select and update on public.profiles by authenticated: exactly the stamped policies
create temporary table profiles (like public.profiles);

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
  select p.* from pg_policies as p join pg_namespace as n on n.nspname = p.schemaname
  where n.oid = pg_my_temp_schema() and p.tablename = 'profiles'
),
found as (
  select p.* from pg_policies as p
  where (p.schemaname, p.tablename) = ('public', 'profiles')
    and (
      p.policyname in (select e.policyname from expected as e)
      or lower(p.cmd) in ('all', 'select', 'update') and exists (
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

-- check: an index begins with every column that the policies of public.profiles read
set local search_path = pg_catalog, pg_temp;
select exists (
  select from pg_index as i
  join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  join pg_class as c on c.oid = i.indrelid join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname, a.attname) = (r.schema_name, r.table_name, r.column_name) and i.indisvalid and i.indpred is null
) as indexed, r.*
from (
  values
    ('public', 'profiles', 'id')
) as r (schema_name, table_name, column_name)
order by indexed;
-- end stamp

-- stamp: updated_at_trigger(table="profiles")
-- stamped: updated_at_trigger sha256:cf5271562f920876  (edit the stamp line or the template, then run pgvouch stamp)
-- check: profiles_updated_at runs public.update_updated_at before every update of a row of public.profiles, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table profiles as select * from public.profiles with no data;
create trigger profiles_updated_at before update on pg_temp.profiles for each row execute function public.update_updated_at();
insert into pg_temp.profiles (updated_at) values ('2999-01-01');
update pg_temp.profiles set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.profiles as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'profiles', 'profiles_updated_at');
-- end stamp

-- stamp: grants(table="profiles",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update"]},
--   columns={"authenticated": {"update": ["display_name", "avatar_url"]}})
-- stamped: grants sha256:462f1399fab4b4a2  (edit the stamp line or the template, then run pgvouch stamp)
-- check: public, anon, authenticated and service_role may do with public.profiles exactly what was granted
set local search_path = pg_catalog, pg_temp;
with stamped (grantee, column_name, privilege) as (
  -- An empty column is the whole table.
  select null::text, null::text, null::text where false
  union all select 'authenticated', '', unnest(array['select'])
  union all select 'service_role', '', unnest(array['select', 'insert', 'update'])
  union all select 'authenticated', unnest(array['display_name', 'avatar_url']), 'update'
),
target as (
  select c.* from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
  where (n.nspname, c.relname) = ('public', 'profiles')
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
