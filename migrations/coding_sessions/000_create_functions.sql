-- The two trigger functions of the system. A plpgsql body is resolved when it first runs, so that
-- `handle_new_user` can stand here, ahead of the table it writes to.
--
-- `create`, not `create or replace`: a function of the same name that somebody else made would keep
-- its owner and its grants, and the rollback would drop it.

create function public.update_updated_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

comment on function public.update_updated_at() is
  'Trigger: puts the time of the transaction into updated_at.';

-- It runs with its owner's rights, for whoever signs up may not write profiles. With an empty
-- search_path no caller can slip in objects of their own under the names used here.
create function public.handle_new_user()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.profiles (id, email, display_name)
  values (
    new.id,
    new.email,
    coalesce(new.raw_user_meta_data ->> 'display_name', split_part(new.email, '@', 1))
  );
  return new;
end;
$$;

comment on function public.handle_new_user() is
  'Trigger on auth.users: gives every new account its profile.';

-- A trigger fires whether or not the one who fires it may call its function. Whoever may call it
-- could attach it to a table of their own and write profiles with its owner's rights.
revoke execute on function public.update_updated_at(), public.handle_new_user()
  from public, anon, authenticated, service_role;
