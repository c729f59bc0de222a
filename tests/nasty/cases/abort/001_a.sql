create table a ();
abort;