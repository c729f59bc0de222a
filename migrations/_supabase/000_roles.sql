-- The roles that Supabase's API acts as. `authenticator` is the one that logs in; for every request
-- it becomes `anon`, `authenticated` or, for the project's own servers, `service_role`, which sees
-- past row level security.
--
-- Roles belong to the whole cluster: another database of it may have brought some or all of them.
-- unless: select count(distinct api.rolname) = 3
-- unless:   and bool_or(api.rolname = 'service_role' and api.rolbypassrls)
-- unless: from pg_catalog.pg_roles as api
-- unless: join pg_catalog.pg_auth_members as membership on membership.roleid = api.oid
-- unless: join pg_catalog.pg_roles as login on login.oid = membership.member
-- unless: where api.rolname in ('anon', 'authenticated', 'service_role')
-- unless:   and login.rolname = 'authenticator'

do $roles$
declare
  missing record;
begin
  for missing in
    select wanted.name, wanted.attributes
    from (
      values
        ('anon', 'nologin'),
        ('authenticated', 'nologin'),
        ('service_role', 'nologin bypassrls'),
        -- Without a password nobody logs in over the network before an administrator allows it;
        -- without inheritance it is nobody until it chooses whom to act as.
        ('authenticator', 'login noinherit')
    ) as wanted (name, attributes)
    where not exists (select from pg_catalog.pg_roles where rolname = wanted.name)
  loop
    begin
      execute pg_catalog.format('create role %I %s', missing.name, missing.attributes);
    exception
      -- Two databases of one cluster may be migrated at the same moment.
      when duplicate_object or unique_violation then null;
    end;
  end loop;
end
$roles$;

grant anon, authenticated, service_role to authenticator;

-- On Supabase the migrating role may act as each of the three, and whoever tests policies needs it.
-- A superuser may anyway; granting it would only leave a membership behind.
do $membership$
begin
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    execute pg_catalog.format('grant anon, authenticated, service_role to %I', current_user);
  end if;
end
$membership$;
