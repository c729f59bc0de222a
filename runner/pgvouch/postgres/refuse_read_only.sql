do $pgvouch$
begin
  if pg_catalog.current_setting('default_transaction_read_only') operator(pg_catalog.=) 'on' then
    raise exception using errcode = 'PGVRO', message = 'default_transaction_read_only is on';
  end if;
end
$pgvouch$
