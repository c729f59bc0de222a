alter default privileges in schema public
  revoke all on functions from anon, authenticated, service_role;

alter default privileges in schema public
  revoke all on sequences from anon, authenticated, service_role;

alter default privileges in schema public
  revoke all on tables from anon, authenticated, service_role;

revoke usage on schema public from anon, authenticated, service_role;
