create table a ();
discard all;