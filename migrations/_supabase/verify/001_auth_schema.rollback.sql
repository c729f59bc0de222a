-- check: nothing of the auth schema is left
select to_regnamespace('auth') is null;
