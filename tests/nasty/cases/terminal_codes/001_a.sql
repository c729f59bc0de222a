create table a ();
select '[2J' as x, nope]0;x;