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

-- name: has_rollouts
-- Whether the tables of rollouts are there.
select to_regclass('pgvouch_fleet.result') is not null

-- name: begin_rollout
-- Writes down that a rollout begins, and returns its number.
insert into pgvouch_fleet.rollout (fleet, action, wanted)
values ({fleet}, {action}, {wanted})
returning id

-- name: put_result
-- Writes down what became of a database. No result.
insert into pgvouch_fleet.result (rollout, target, wave, state, version, finished, cause, seconds)
values ({rollout}, {target}, {wave}, {state}, {version}, {finished}, {cause}, {seconds})
on conflict (rollout, target) do update
set wave = excluded.wave, state = excluded.state, version = excluded.version, finished = excluded.finished,
  cause = excluded.cause, seconds = excluded.seconds, at = excluded.at

-- name: end_rollout
-- Writes down how a rollout has ended. No result.
update pgvouch_fleet.rollout set ended_at = clock_timestamp(), outcome = {outcome} where id = {rollout}

-- name: last_rollout
-- The last rollout of a fleet and kind, or that of a number: its number, what, wanted, when it began and ended, how.
select
  r.id, r.action, r.wanted,
  to_char(r.began_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
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
