do $$begin if not (not exists (select from pg_locks where locktype = 'advisory' and objid in (7, 8))) then raise 'leaked'; end if; end$$;
create table a ();
