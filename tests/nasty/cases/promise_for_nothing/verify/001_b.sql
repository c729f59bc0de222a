-- check: x
select true