savepoint s; create table b ();
rollback to s; create table a (); rollback /* x */ transaction to savepoint s; create table a (); release s;