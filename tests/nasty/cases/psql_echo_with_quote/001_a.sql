create table a ();
\echo it's done
