create table a ();
  \i other.sql
