select 1;
create table a ();
