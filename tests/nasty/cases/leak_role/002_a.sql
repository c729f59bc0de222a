do $$begin if not (current_user = session_user) then raise 'leaked'; end if; end$$;
create table a ();
