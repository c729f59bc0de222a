create table a ();
select i, repeat('x', 100) from generate_series(1, 5000) i;
table pg_class;
values (1), (2);
explain select 1;
show all;