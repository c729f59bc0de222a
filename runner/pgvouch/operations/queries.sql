-- What operations ask of a database. Names without a schema are those of pg_catalog: the message sets the search_path.

-- name: schemas
-- The schemas but for PostgreSQL's own, `public` and ours.
select n.nspname
from pg_namespace as n
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public', 'pgvouch')
order by 1

-- name: tables_and_sequences
-- The tables, qualified and quoted; then the sequences with where they are. Two results.
select format('%I.%I', n.nspname, c.relname)
from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'pgvouch')
order by 1;
select format('%I.%I', s.schemaname, s.sequencename), coalesce(s.last_value::text, 'not called')
from pg_sequences as s
where s.schemaname <> 'pgvouch'
order by 1

-- name: digest
-- How many rows a table has, and a digest of them, whatever their order.
select count(*), coalesce(md5(string_agg(md5((t.*)::text), '' order by md5((t.*)::text))), '')
from {table} as t

-- name: has_large_objects
-- Whether there is a large object.
select exists (select from pg_largeobject_metadata)
