-- unless: current_setting('no.such', true)::boolean
create table a ();
