create table a ();
end;