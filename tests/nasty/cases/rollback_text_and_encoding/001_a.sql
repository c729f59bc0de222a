create table a ();
set client_encoding = 'LATIN1';