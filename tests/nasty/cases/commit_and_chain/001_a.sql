create table a ();
commit and chain;