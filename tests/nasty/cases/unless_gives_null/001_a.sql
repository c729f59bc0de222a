-- unless: null
create table a ();
