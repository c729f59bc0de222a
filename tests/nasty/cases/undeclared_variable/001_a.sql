create table a ();
select :nobody;