-- Nothing is undone: roles belong to the whole cluster, and other databases of it may rely on them.
-- When none does, an administrator removes them by hand:
--   drop role authenticator, anon, authenticated, service_role;
-- The query is here because some tools refuse a file without a statement.
select 'the roles stay: they belong to the whole cluster' as note;
