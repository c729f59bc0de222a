create table a ();
prepare
transaction 'x';