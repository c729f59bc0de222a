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

-- name: commented
-- The migrations that are in the database and were applied last with a comment in the log, in the order of application.
select m.migration_id
from pgvouch.migration as m
where m.state in ('applied', 'provided')
  and (
    select l.comment
    from pgvouch._yoyo_log as l
    where l.migration_id = m.migration_id
    order by l.created_at_utc desc, l.id desc
    limit 1
  ) = {comment}
order by m.applied_order

-- name: has_rollouts
-- Whether the tables of rollouts are there.
select to_regclass('pgvouch_fleet.result') is not null

-- name: revoke_all
-- Takes away what default privileges have granted in a schema of ours. No result.
do $pgvouch$
declare
  entry record;
begin
  for entry in
    select format('%s %s', case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass) as object, acl.grantee
    from pg_class as c
      cross join lateral aclexplode(c.relacl) as acl
    where c.relnamespace = to_regnamespace({name})
      and c.relkind in ('r', 'S')
      and acl.grantee <> c.relowner
    union
    select format('function %s', p.oid::regprocedure), acl.grantee
    from pg_proc as p
      cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
    where p.pronamespace = to_regnamespace({name})
      and acl.grantee <> p.proowner
    union
    select format('schema %I', n.nspname), acl.grantee
    from pg_namespace as n
      cross join lateral aclexplode(n.nspacl) as acl
    where n.nspname = {name}
      and acl.grantee <> n.nspowner
  loop
    execute format(
      'revoke all on %s from %s',
      entry.object,
      case when entry.grantee = 0 then 'public' else entry.grantee::regrole::text end
    );
  end loop;
end
$pgvouch$

-- name: begin_rollout
-- Writes down that a rollout begins, and returns it.
insert into pgvouch_fleet.rollout (fleet, action, wanted)
values ({fleet}, {action}, {wanted})
returning id, key, fleet, action, wanted, null, outcome

-- name: put_results
-- Writes down what became of databases of a wave. No result.
insert into pgvouch_fleet.result (rollout, wave, target, state, version, finished, cause, seconds)
select {rollout}, {wave}, r.target, r.state, r.version, r.finished, r.cause, r.seconds
from jsonb_to_recordset({rows}::jsonb)
  as r (target text, state text, version text, finished text, cause text, seconds double precision)
on conflict (rollout, target) do update
set state = excluded.state, version = excluded.version, finished = excluded.finished, cause = excluded.cause,
  seconds = excluded.seconds, at = clock_timestamp()

-- name: end_rollout
-- Writes down how a rollout has ended. No result.
update pgvouch_fleet.rollout set ended_at = clock_timestamp(), outcome = {outcome} where id = {rollout}

-- name: last_rollout
-- The last rollout of a fleet and kind, or that of a number: its number, key, fleet, what, wanted, when it ended, how.
select
  r.id, r.key, r.fleet, r.action, r.wanted,
  to_char(r.ended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
  r.outcome
from pgvouch_fleet.rollout as r
where r.fleet = {fleet} and r.action = {action} and ({number}::bigint is null or r.id = {number}::bigint)
order by r.id desc
limit 1

-- name: results
-- What became of each database in a rollout.
select r.target, r.state, r.seconds, r.version, r.finished, r.cause
from pgvouch_fleet.result as r
where r.rollout = {rollout}
