create table a (n int primary key);
create table b (n int references a deferrable initially deferred);
set constraints all deferred;
insert into b values (1);