create table a ();
select '
commit;
';
/*
commit;
*/
create function f() returns void language plpgsql as $$
begin
  perform 1;
end;
$$;