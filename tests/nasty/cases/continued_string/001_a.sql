create table a ();
select 'a'
  ';commit;' as b;