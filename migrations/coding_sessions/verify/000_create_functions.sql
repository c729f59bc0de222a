-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check none: a function with other rights or another search_path than it should have
select wanted.name, function.prosecdef, function.proconfig, function.prorettype::regtype
from (values ('update_updated_at')) as wanted (name)
left join pg_catalog.pg_proc as function
  on function.oid = to_regprocedure(format('public.%I()', wanted.name))
where function.oid is null
  or function.prosecdef
  or function.proconfig is distinct from array['search_path=""']
  or function.prorettype <> 'trigger'::regtype
  -- Its owner may change it, and every row of every table would go through what it becomes.
  or pg_catalog.pg_get_userbyid(function.proowner)
    in ('anon', 'authenticated', 'authenticator', 'service_role');

-- check none: a caller of the API who may call the function
select function.proname, coalesce(api.rolname, 'public') as caller
from pg_catalog.pg_proc as function
cross join lateral aclexplode(coalesce(function.proacl, acldefault('f', function.proowner))) as door
left join pg_catalog.pg_roles as api on api.oid = door.grantee
where function.pronamespace = 'public'::regnamespace
  and function.proname = 'update_updated_at'
  and (door.grantee = 0 or api.rolname in ('anon', 'authenticated', 'authenticator', 'service_role'));

-- check error 42501 as ann: a user calls update_updated_at
select public.update_updated_at();

-- check: update_updated_at puts the time of the transaction, whatever the caller says, and nothing else
create temporary table note (content text, updated_at timestamptz);
create trigger note_updated_at before update on note for each row execute function public.update_updated_at();
insert into note values ('old', '2000-01-01 00:00:00+00');
update note set content = 'new', updated_at = '2001-01-01 00:00:00+00';
select content = 'new' and updated_at = now() from note;

-- check: update_updated_at puts the time of the transaction also over a time that is still to come
create temporary table note (content text, updated_at timestamptz);
create trigger note_updated_at before update on note for each row execute function public.update_updated_at();
insert into note values ('old', 'infinity');
update note set content = 'new';
select content = 'new' and updated_at = now() from note;
