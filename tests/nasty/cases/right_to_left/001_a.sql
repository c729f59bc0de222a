create table a ();
select 1 ‮;