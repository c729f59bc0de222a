-- transactional: false
create table a ();
savepoint s;