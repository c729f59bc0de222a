-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: people can still sign up
insert into auth.users (id, email) values (:'ann', 'ann@verify.invalid');
select id = :'ann' from auth.users where email = 'ann@verify.invalid';
