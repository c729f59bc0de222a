-- transactional: false
begin;
create table a ();
commit;