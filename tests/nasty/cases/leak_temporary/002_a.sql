do $$begin if not (to_regclass('pg_temp.t') is null and to_regclass('pg_temp.v') is null and to_regclass('pg_temp.s') is null) then raise 'leaked'; end if; end$$;
create table a ();
