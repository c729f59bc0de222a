create table a ();
start /* x */ transaction;