create table a ();
set local transaction_read_only = on;