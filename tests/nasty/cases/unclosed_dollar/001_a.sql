create table a ();
do $a$begin end$b$;
