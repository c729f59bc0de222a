create table a ();
select case when true then 1
end;
select case when true then 2
end
;