create table a ();
commit prepared 'x';