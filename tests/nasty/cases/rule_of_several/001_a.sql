create table a (n int);
create rule r as on insert to a do also (select 1; select 2);
insert into a values (1);