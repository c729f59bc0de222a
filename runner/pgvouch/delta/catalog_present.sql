-- What is there, by the name without its schema: relations, functions, types, schemas. One row of text, a line each: much smaller,
-- and sooner read, than rows. Domains are there also without a name.
select string_agg(there.key || ' ' || translate(there.name, E'\n', ' '), E'\n')
from (
  select 'r' || c.oid as key, c.relname as name
  from pg_class as c
  where c.oid >= 16384 and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  union all
  -- An index stands for its table.
  select 'r' || i.indrelid, c.relname
  from pg_index as i
  join pg_class as c on c.oid = i.indexrelid
  join pg_class as t on t.oid = i.indrelid and t.relkind <> 't'
  where c.oid >= 16384
  union all
  select 'r' || s.stxrelid, s.stxname
  from pg_statistic_ext as s
  union all
  select 'f' || p.oid, p.proname
  from pg_proc as p
  where p.oid >= 16384
  union all
  -- Row types and arrays are said with their relation and their element.
  select 't' || t.oid, t.typname
  from pg_type as t
  where t.oid >= 16384
    and not exists (select from pg_class as c where c.oid = t.typrelid and c.relkind <> 'c')
    and not exists (select from pg_type as e where e.oid = t.typelem and e.typarray = t.oid)
  union all
  select 'n' || n.oid, n.nspname
  from pg_namespace as n
  where n.nspname !~ '^pg_'
  union all
  select 't' || t.oid, ''
  from pg_type as t
  where t.oid >= 16384 and t.typtype = 'd'
) as there
