-- unless: not ( false )
create table a ();
