set transaction isolation level serializable;
create table a ();
