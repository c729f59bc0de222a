create table a ();
rollback work;