create table a ();
SET LOCAL standard_conforming_strings TO 'off';