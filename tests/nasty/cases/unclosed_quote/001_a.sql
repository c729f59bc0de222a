create table a ();
select 1;
select 'it;
