-- Everything a run needs to know of the ledger, in one query: its version, and a row per migration.
-- yoyo's table is joined in so that a migration that stock yoyo applied to our ledger counts too. Its place is behind those
-- of ours that were there at that time: a rollback goes backwards through the places.
select
  (select max(version) from pgvouch.ledger)::text as ledger_version,
  coalesce(m.migration_id, y.migration_id) as migration_id,
  coalesce(m.state, 'applied') as state,
  m.checksum,
  to_char(
    coalesce(m.applied_at, y.applied_at_utc at time zone 'UTC') at time zone 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'
  ) as applied_at,
  m.applied_by,
  m.duration_ms,
  m.checks_passed,
  (m.rollback_sql is not null)::text as has_rollback,
  m.statements_done,
  coalesce(m.running, m.refused) as running,
  row_number() over (
    order by
      coalesce(
        m.applied_order,
        (
          select max(ours.applied_order)
          from pgvouch.migration as ours
          where ours.applied_at <= y.applied_at_utc at time zone 'UTC'
        ),
        0
      ),
      m.applied_order is null,
      y.applied_at_utc,
      y.migration_id
  ) as place,
  (y.migration_id is not null)::text as recorded
from pgvouch.migration as m
  full join pgvouch._yoyo_migration as y on y.migration_id = m.migration_id
-- what stock yoyo rolled back in our ledger is gone, though our own row is still there
where y.migration_id is not null or m.state in ('incomplete', 'undoing')
union all
select (select max(version) from pgvouch.ledger)::text, null, null, null, null, null, null, null,
  null, null, null, null, null
order by place nulls last
