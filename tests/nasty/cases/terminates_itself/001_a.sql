create table a ();
select pg_terminate_backend(pg_backend_pid()), pg_sleep(5);