-- The definition of an index, and that of the only index of a table's copy.
select
  pg_catalog.pg_get_indexdef({index}),
  (
    select pg_catalog.pg_get_indexdef(i.indexrelid)
    from pg_catalog.pg_index as i
    where i.indrelid = pg_catalog.to_regclass({copy})
  )
