-- Without cascade: whatever still refers to an account or calls these functions has to go first.
drop function auth.role();
drop function auth.uid();
drop function auth.jwt();
drop table auth.users;
drop schema auth;
