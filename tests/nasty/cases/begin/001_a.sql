create table a ();
begin;
select 1;
commit;