-- lock_timeout: 1s
-- lock_timeout: 2s
create table a ();
