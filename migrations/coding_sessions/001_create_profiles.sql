-- The account as the application knows it: one row for each row of auth.users, made by a trigger
-- there. Both the foreign key and the trigger lock auth.users against sign-ups for a moment.
-- depends: 000_create_functions
-- writes: public.profiles

create table public.profiles (
  id uuid not null,
  email text not null,
  display_name text,
  avatar_url text,
  tier text not null default 'free',
  sessions_used integer not null default 0,
  sessions_limit integer not null default 3,
  stripe_customer_id text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint profiles_pkey primary key (id),
  constraint profiles_id_fkey foreign key (id) references auth.users (id) on delete cascade,
  constraint profiles_email_key unique (email),
  constraint profiles_tier_check check (tier in ('free', 'starter', 'pro', 'enterprise'))
);

comment on table public.profiles is
  'One row per account, made by the trigger on auth.users; its owner may change name and picture.';

-- Not forced: `handle_new_user` inserts as the owner, and nobody has an insert policy.
alter table public.profiles enable row level security;

-- stamp: owner_policies(table="profiles", owner="id", commands=["select", "update"],
--   names={"select": "Users can view own profile", "update": "Users can update own profile"})
-- stamped: owner_policies sha256:8d0d5ce570d6b1b2  (edit the stamp line or the template, then run pgvouch stamp)
create policy "Users can view own profile"
  on public.profiles
  for select
  to authenticated
  using (id = (select auth.uid()));

create policy "Users can update own profile"
  on public.profiles
  for update
  to authenticated
  using (id = (select auth.uid()))
  with check (id = (select auth.uid()));
-- end stamp

-- The constraint profiles_email_key could serve the same look-ups; the plan counts this one too.
create index profiles_email_idx on public.profiles (email);
create index profiles_tier_idx on public.profiles (tier);

-- stamp: updated_at_trigger(table="profiles")
-- stamped: updated_at_trigger sha256:43669d15196f63d3  (edit the stamp line or the template, then run pgvouch stamp)
create trigger profiles_updated_at
  before update on public.profiles
  for each row
  execute function public.update_updated_at();
-- end stamp

-- It runs with its owner's rights, for whoever signs up may not write profiles. With an empty
-- search_path no caller can slip in objects of their own under the names used here.
--
-- An account that cannot have a profile is refused, with a message that says why: without one it
-- could sign in and own nothing. `on conflict` waits for a sign-up of the same address that is still
-- under way, as the constraint would, and leaves the words to us.
create function public.handle_new_user()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if new.email is null then
    raise exception 'account % has no e-mail address, and its profile needs one', new.id
      using
        errcode = 'not_null_violation',
        schema = 'public',
        table = 'profiles',
        column = 'email',
        hint = 'Switch off anonymous sign-ins and sign-up by phone: both have no address.';
  end if;

  insert into public.profiles (id, email, display_name)
  values (
    new.id,
    new.email,
    coalesce(new.raw_user_meta_data ->> 'display_name', split_part(new.email, '@', 1))
  )
  on conflict (email) do nothing;

  if not found then
    raise exception 'account % has the e-mail address of a profile that is there already', new.id
      using
        errcode = 'unique_violation',
        schema = 'public',
        table = 'profiles',
        constraint = 'profiles_email_key',
        hint = 'An address has one account. Sign in with that one, or link the new identity to it.';
  end if;

  return new;
end;
$$;

comment on function public.handle_new_user() is
  'Trigger on auth.users: gives every new account its profile, or refuses the account.';

-- A trigger fires whether or not the one who fires it may call its function. Whoever may call it
-- could attach it to a table of their own and write profiles with its owner's rights.
revoke execute on function public.handle_new_user()
  from public, anon, authenticated, service_role;

create trigger on_auth_user_created
  after insert on auth.users
  for each row
  execute function public.handle_new_user();

-- Accounts older than the trigger. None can slip in between: the foreign key holds its lock on
-- auth.users until the end of the transaction. An account without an address has no profile; and
-- where several have the same one, which single sign-on makes possible, the first of them has it, as
-- it would if the trigger had been there from the beginning.
insert into public.profiles (id, email, display_name)
select distinct on (account.email)
  account.id,
  account.email,
  coalesce(account.raw_user_meta_data ->> 'display_name', split_part(account.email, '@', 1))
from auth.users as account
where account.email is not null
order by account.email, account.created_at, account.id;

-- Row security is about rows: the policy alone would let users choose their own tier and limit. Nobody
-- deletes a profile: it goes with its account, and an account without one could own nothing.
-- stamp: grants(table="profiles",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update"]},
--   columns={"authenticated": {"update": ["display_name", "avatar_url"]}})
-- stamped: grants sha256:986b0d60d504e5eb  (edit the stamp line or the template, then run pgvouch stamp)
-- Default privileges may have opened the table already: start from nothing.
revoke all on table public.profiles
  from public, anon, authenticated, service_role;
grant select on table public.profiles to authenticated;
grant select, insert, update on table public.profiles to service_role;
grant update (display_name, avatar_url) on table public.profiles to authenticated;
-- end stamp
