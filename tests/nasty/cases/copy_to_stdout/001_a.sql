create table a ();
copy (select 1) to stdout;