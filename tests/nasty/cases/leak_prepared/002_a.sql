do $$begin if not (not exists (select from pg_prepared_statements) and not exists (select from pg_cursors where name = 'c')) then raise 'leaked'; end if; end$$;
create table a ();
