-- What a fleet asks a server. Each block says what it returns.

-- name: databases
-- The databases that can be connected to, but for templates, the maintenance database, and those whose drop was interrupted.
select d.datname
from pg_database as d
where d.datallowconn and not d.datistemplate and d.datconnlimit <> -2 and d.datname <> 'postgres'
order by d.datname

-- name: slots
-- How many connections a server has left for us: all, those reserved, and those that are used.
select
  current_setting('max_connections')::integer
    - current_setting('superuser_reserved_connections')::integer
    - coalesce(nullif(current_setting('reserved_connections', true), '')::integer, 0)
    - (select count(*) from pg_stat_activity where backend_type = 'client backend')
