create table a ();
select ‘x’;