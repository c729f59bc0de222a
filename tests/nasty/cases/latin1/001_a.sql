create table a ();
select 'é';
