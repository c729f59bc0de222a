create table a ();
select 'select 1' \gexec
