-- C:\
create table a ();
select 'C:\';
-- \