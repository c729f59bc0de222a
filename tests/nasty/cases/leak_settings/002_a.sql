do $$begin if not (current_setting('work_mem') <> '77MB' and coalesce(current_setting('my.own', true), '') = '' and current_setting('session_replication_role') = 'origin' and current_setting('timezone') <> 'Asia/Kabul') then raise 'leaked'; end if; end$$;
create table a ();
