-- unless: true); drop table x; select (false
create table a ();
