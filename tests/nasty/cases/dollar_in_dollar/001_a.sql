create table a ();
do $a$begin perform $b$ ; commit; $$ it's $$ $b$; end$a$;
select $ä1$;$ä1$, a$$ from (select 1 as a$$) s;