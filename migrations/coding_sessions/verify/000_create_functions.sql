-- check none: a function with other rights or another search_path than it should have
select wanted.name, function.prosecdef, function.proconfig, function.prorettype::regtype
from (values ('update_updated_at', false), ('handle_new_user', true)) as wanted (name, definer)
left join pg_catalog.pg_proc as function
  on function.oid = to_regprocedure(format('public.%I()', wanted.name))
where function.oid is null
  or function.prosecdef <> wanted.definer
  or function.proconfig is distinct from array['search_path=""']
  or function.prorettype <> 'trigger'::regtype
  -- A definer's function may do what its owner may, and its owner may change it.
  or pg_catalog.pg_get_userbyid(function.proowner)
    in ('anon', 'authenticated', 'authenticator', 'service_role');

-- check none: a function that the API may call
select function.proname, coalesce(api.rolname, 'public') as caller
from pg_catalog.pg_proc as function
cross join lateral aclexplode(coalesce(function.proacl, acldefault('f', function.proowner))) as door
left join pg_catalog.pg_roles as api on api.oid = door.grantee
where function.pronamespace = 'public'::regnamespace
  and function.proname in ('update_updated_at', 'handle_new_user')
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

-- check error 42501: a user calls update_updated_at
set local role authenticated;
select public.update_updated_at();

-- check: update_updated_at puts the time of the transaction, whatever the caller says, and nothing else
create temporary table note (content text, updated_at timestamptz);
create trigger note_updated_at
  before update on note
  for each row
  execute function public.update_updated_at();
insert into note values ('old', '2000-01-01 00:00:00+00');
update note set content = 'new', updated_at = '2001-01-01 00:00:00+00';
select content = 'new' and updated_at = now() from note;

-- check: handle_new_user makes a profile for a signer-up who may not write profiles
-- until: 001_create_profiles
create table public.profiles (id uuid, email text, display_name text);
create temporary table account (id uuid, email text, raw_user_meta_data jsonb);
create trigger account_created
  after insert on account
  for each row
  execute function public.handle_new_user();
revoke all on public.profiles from authenticated;
grant insert on account to authenticated;
set local role authenticated;
insert into account
values
  ('5afe0000-0000-4000-8000-00000000000a', 'ann@verify.invalid', '{"display_name": "Ann"}'),
  ('5afe0000-0000-4000-8000-00000000000b', 'Bob@verify.invalid', null);
reset role;
select jsonb_agg(to_jsonb(profile) order by profile.id) = '[
  {
    "id": "5afe0000-0000-4000-8000-00000000000a",
    "email": "ann@verify.invalid",
    "display_name": "Ann"
  },
  {
    "id": "5afe0000-0000-4000-8000-00000000000b",
    "email": "Bob@verify.invalid",
    "display_name": "Bob"
  }
]'
from public.profiles as profile;
