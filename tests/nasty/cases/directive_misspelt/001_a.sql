-- transactonal: no
create table a ();
