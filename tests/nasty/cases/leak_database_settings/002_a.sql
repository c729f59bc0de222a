do $$begin if not (current_setting('work_mem') <> '66MB') then raise 'leaked'; end if; end$$;
create table a ();
