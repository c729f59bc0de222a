/* A licence,
   in two lines. */

-- transactional: false
create table a ();
vacuum a;