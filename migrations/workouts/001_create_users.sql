-- The accounts, who invited whom, and the trigger function that every later table uses.
--
-- `create`, not `create or replace`: a function of the same name that somebody else made would keep
-- its owner and its grants, and the rollback would drop it.

create function public.update_updated_at_column()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

comment on function public.update_updated_at_column() is
  'Trigger: puts the time of the transaction into updated_at.';

-- Eight of the sixteen hexadecimal digits of a random uuid: random() could be guessed.
create function public.generate_invite_code()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  while new.invite_code is null loop
    new.invite_code := upper(left(gen_random_uuid()::text, 8));
    if exists (select from public.users as taken where taken.invite_code = new.invite_code) then
      new.invite_code := null;
    end if;
  end loop;
  return new;
end;
$$;

comment on function public.generate_invite_code() is
  'Trigger: gives an account without an invite code one that nobody has.';

-- A trigger fires whether or not the one who fires it may call its function.
revoke execute on function public.update_updated_at_column(), public.generate_invite_code()
  from public;

create table public.users (
  id uuid not null default gen_random_uuid(),
  email varchar(255) not null,
  password_hash varchar(255),
  display_name varchar(100) not null,
  unit_preference varchar(10) not null default 'kg',
  email_verified boolean not null default false,
  email_verified_at timestamp,
  invited_by uuid,
  invite_code varchar(20) not null,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  last_login_at timestamp,
  constraint users_pkey primary key (id),
  constraint users_email_key unique (email),
  constraint users_invite_code_key unique (invite_code),
  constraint users_unit_preference_check check (unit_preference::text in ('kg', 'lb')),
  -- Friends are found through invited_by; nobody is a friend of their own.
  constraint users_invited_by_not_self check (invited_by <> id),
  constraint users_invited_by_fkey
    foreign key (invited_by) references public.users (id) on delete set null
);

comment on table public.users is 'The accounts and, through invited_by, who are friends.';
comment on column public.users.password_hash is 'Empty for those who sign in by magic link only.';

create index idx_users_invited_by on public.users (invited_by);
create index idx_users_created_at on public.users (created_at desc);

create trigger generate_user_invite_code
  before insert on public.users
  for each row
  execute function public.generate_invite_code();

-- stamp: updated_at_trigger(table="users", function="update_updated_at_column",
--   name="update_users_updated_at")
-- stamped: updated_at_trigger sha256:4432cd35b6bcfd74  (edit the stamp line or the template, then run pgvouch stamp)
create trigger update_users_updated_at
  before update on public.users
  for each row
  execute function public.update_updated_at_column();
-- end stamp
