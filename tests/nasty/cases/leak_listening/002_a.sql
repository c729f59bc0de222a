do $$begin if not (not exists (select from pg_listening_channels())) then raise 'leaked'; end if; end$$;
create table a ();
