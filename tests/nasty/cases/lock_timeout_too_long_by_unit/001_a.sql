-- statement_timeout: 25d
create table a ();
