create table a ();
-- x
select 1;
