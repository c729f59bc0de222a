create table a ();
do $$begin commit; end$$;