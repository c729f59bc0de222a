create table a ();
-- Ã