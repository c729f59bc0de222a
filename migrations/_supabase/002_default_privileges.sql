-- On Supabase everything that is created in `public` is open to all three API roles, and row level
-- security is the only wall. A plain PostgreSQL opens nothing: a table without policies would pass
-- every test there and stand open on Supabase. So the doors are opened here as well.
--
-- A platform that calls itself Supabase has made its own choice, whatever it is.
-- unless: exists (select from pg_catalog.pg_roles where rolname = 'supabase_admin')
-- unless: or (
-- unless:   select count(distinct (defaults.defaclobjtype, door.grantee)) = 9
-- unless:   from pg_catalog.pg_default_acl as defaults
-- unless:   cross join lateral aclexplode(defaults.defaclacl) as door
-- unless:   join pg_catalog.pg_roles as api on api.oid = door.grantee
-- unless:   where pg_get_userbyid(defaults.defaclrole) = current_user
-- unless:     and defaults.defaclnamespace = to_regnamespace('public')
-- unless:     and defaults.defaclobjtype in ('r', 'S', 'f')
-- unless:     and api.rolname in ('anon', 'authenticated', 'service_role')
-- unless: )

grant usage on schema public to anon, authenticated, service_role;

-- They hold for what the migrating role creates from now on.
alter default privileges in schema public
  grant all on tables to anon, authenticated, service_role;

alter default privileges in schema public
  grant all on sequences to anon, authenticated, service_role;

alter default privileges in schema public
  grant all on functions to anon, authenticated, service_role;
