-- How many locks on objects all transactions of this server may hold together before "out of shared memory", as far as
-- it is promised, and how many are held now. The number of backends is computed as PostgreSQL does it; a setting
-- that this version does not have counts nothing.
select
  current_setting('max_locks_per_transaction')::bigint,
  current_setting('max_locks_per_transaction')::bigint * (
    2 + (
      select sum(s.setting::bigint)
      from pg_catalog.pg_settings as s
      where s.name in (
        'max_connections', 'max_prepared_transactions', 'max_worker_processes', 'max_wal_senders',
        case when exists (select from pg_catalog.pg_settings where name = 'autovacuum_worker_slots')
          then 'autovacuum_worker_slots' else 'autovacuum_max_workers' end
      )
    )
  ),
  (select count(*) from pg_catalog.pg_locks)
