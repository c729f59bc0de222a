-- The trigger function that keeps updated_at, ahead of the tables that use it. The other function of
-- the system, handle_new_user, is made by 001 together with the table it writes to.
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

-- A trigger fires whether or not the one who fires it may call its function.
revoke execute on function public.update_updated_at()
  from public, anon, authenticated, service_role;
