do $$begin if not (current_setting('lock_timeout') = '500ms' and current_setting('statement_timeout') = '0' and current_setting('idle_in_transaction_session_timeout') = '0') then raise 'leaked'; end if; end$$;
create table a ();
