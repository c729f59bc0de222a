create table a ();
