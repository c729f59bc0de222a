-- What adoption asks of a database. Names without a schema are those of pg_catalog: the message sets the search_path.

-- name: tables
-- The tables of a name, with their columns. The ledgers that platforms keep for themselves are nobody's to adopt.
select n.nspname, c.relname, format('%I.%I', n.nspname, c.relname), string_agg(a.attname, ' ' order by a.attnum)
from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relname = {name} and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and case
    when {schema}::text is null then n.nspname !~ '^(pg_|_)' and n.nspname not in ('pgvouch', 'information_schema',
      'auth', 'storage', 'realtime', 'supabase_functions', 'graphql', 'graphql_public', 'vault', 'net', 'cron')
    else n.nspname = {schema}
  end
group by n.nspname, c.relname
order by n.nspname

-- name: record
-- Records a migration that is in the database and was not run by us: in yoyo's tables ({mark} and {log}) and in ours. What stock yoyo has
-- recorded is there, and gets what yoyo does not keep.
with mark as ({mark} on conflict do nothing), log as ({log}), own as (
  insert into pgvouch.migration (
    migration_id, state, checksum, rollback_sql, irreversible, transactional, applied_at, applied_by, tool_version
  ) values (
    {id}, {state}, {checksum}, {rollback_sql}, {irreversible}, {transactional},
    coalesce({at}::timestamptz, clock_timestamp()), coalesce({by}, session_user), {tool_version}
  )
  on conflict (migration_id) do update set
    checksum = excluded.checksum,
    rollback_sql = excluded.rollback_sql,
    irreversible = excluded.irreversible,
    transactional = excluded.transactional
)
select 0

-- name: record_repeatable
-- Records that the text of a repeatable migration is in force, unless a run of it is known. It is not said which migration was the newest
-- then: rolling one back leaves it as it is.
with own as (
  insert into pgvouch.repeatable (repeatable_id, checksum, sql, applied_at, applied_by, tool_version)
  select
    {id}, {checksum}, {sql}, coalesce({at}::timestamptz, clock_timestamp()), coalesce({by}, session_user), {tool_version}
  where not exists (select from pgvouch.repeatable as r where r.repeatable_id = {id})
)
select 0
