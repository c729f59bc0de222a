-- var: who
create table a ();
select :'who', :"who", 1 as who;
commit;