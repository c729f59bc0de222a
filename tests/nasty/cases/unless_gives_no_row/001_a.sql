-- unless: generate_series(1, 0) = 1
create table a ();
