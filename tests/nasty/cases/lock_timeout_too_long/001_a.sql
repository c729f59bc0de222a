-- lock_timeout: 99999999999d
create table a ();
