create table a ();
select 'í €';