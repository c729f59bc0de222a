do $$begin if not (current_setting('client_encoding') = 'UTF8' and to_regclass('é') is not null) then raise 'leaked'; end if; end$$;
create table a ();
