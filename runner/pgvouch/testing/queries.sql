-- What the pytest plugin asks of a server. Names without a schema are those of pg_catalog: the message sets the search_path.

-- name: me
-- The role of this session; whether the server flushes what it writes.
select current_user, current_setting('fsync')

-- name: try_lock
-- Whether this session has got a lock, and keeps it until it ends.
select pg_try_advisory_lock({space}, {number})

-- name: lock
-- Waits for a lock.
select pg_advisory_lock({space}, {number})

-- name: unlock
-- Gives a lock back.
select pg_advisory_unlock({space}, {number})

-- name: databases
-- The databases of this role whose names begin with a text, with their comments.
select d.datname, coalesce(shobj_description(d.oid, 'pg_database'), '')
from pg_database as d
where starts_with(d.datname, {start}) and pg_get_userbyid(d.datdba) = current_user
order by 1

-- name: now
-- The time by the server's clock, in a form that sorts.
select to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US')

-- name: roles
-- The roles that initdb has not made, as identifiers.
select quote_ident(rolname) from pg_roles where oid >= 16384 order by 1

-- name: lost_in_a_copy
-- Statements that give a copy of a database what CREATE DATABASE leaves out: its settings, and who may do what with it.
with setting as (
  select
    format(case when r.oid is null then 'database %2$I' else 'role %1$I in database %2$I' end, r.rolname, {copy}) as target,
    split_part(said, '=', 1) as name,
    substr(said, strpos(said, '=') + 1) as value
  from pg_database as d
    join pg_db_role_setting as s on s.setdatabase = d.oid
    left join pg_roles as r on r.oid = s.setrole
    cross join unnest(s.setconfig) as said
  where d.datname = {template}
)
select
  format(
    'select pg_catalog.set_config(%L, %L, true); alter %s set %s from current',
    name, value, target,
    (select string_agg(quote_ident(part), '.') from unnest(string_to_array(name, '.')) as part)
  )
from setting
union all
select format('revoke all on database %I from public', {copy})
from pg_database
where datname = {template} and datacl is not null
union all
select
  format(
    'grant %s on database %I to %s%s',
    a.privilege_type, {copy}, case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
    case when a.is_grantable and a.grantee <> d.datdba then ' with grant option' else '' end
  )
from pg_database as d
  cross join aclexplode(d.datacl) as a
where d.datname = {template}
