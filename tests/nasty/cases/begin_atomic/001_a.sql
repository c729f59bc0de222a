create table a ();
create function f() returns int begin atomic
  select 1;
  select case when true then 1
  end;
end;
select 3;