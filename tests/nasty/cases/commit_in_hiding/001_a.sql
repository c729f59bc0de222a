create table a ();
-- ccommit;