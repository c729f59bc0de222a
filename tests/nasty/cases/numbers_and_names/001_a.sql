create table a ();
select 1 as a$b, 2 as c$d$e;
select $$a$$ as x$y$;