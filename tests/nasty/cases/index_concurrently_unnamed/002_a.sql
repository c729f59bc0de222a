-- transactional: false
create index concurrently on b (n);
create table a ();
