-- It was made empty. Tables that are in it now are others', and their clients would hear no more.
do $realtime$
begin
  if exists (
    select from pg_catalog.pg_publication_tables where pubname = 'supabase_realtime'
  ) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'publication supabase_realtime has tables in it that others have added',
      hint = 'See pg_publication_tables. Take them out first, if nobody listens to them: alter '
        'publication supabase_realtime drop table …';
  end if;
end
$realtime$;

drop publication supabase_realtime;
