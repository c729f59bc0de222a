-- Verify lib:seed on pg

BEGIN;

-- the first row is there
select 1/count(*) from books where id = 1;

ROLLBACK;
