do $$begin if not (current_setting('search_path') = '"$user", public') then raise 'leaked'; end if; end$$;
create table a ();
