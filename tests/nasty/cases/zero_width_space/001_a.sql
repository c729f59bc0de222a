create table a ();
select 1 as x​;