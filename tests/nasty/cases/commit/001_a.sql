create table a ();
commit;