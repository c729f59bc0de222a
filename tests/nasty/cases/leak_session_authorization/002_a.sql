do $$begin if not (session_user <> 'pg_monitor') then raise 'leaked'; end if; end$$;
create table a ();
