create table a ();
vacuum a;