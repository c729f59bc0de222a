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
-- Writes down that a rollout begins, and returns it; nothing, where another one of the fleet is under way.
lock table pgvouch_fleet.rollout in share row exclusive mode;
insert into pgvouch_fleet.rollout (fleet, action, wanted, pid, pid_since)
select {fleet}, {action}, {wanted}, a.pid, a.backend_start
from (values ({pid}::integer)) as own (pid)
  left join pg_stat_activity as a on a.pid = own.pid
where not exists (
  select from pgvouch_fleet.rollout as r
    left join pg_stat_activity as b on b.pid = r.pid and coalesce(b.backend_start = r.pid_since, true)
  where r.fleet = {fleet} and r.ended_at is null and (r.queue is not null or b.pid is not null)
)
returning id, key, fleet, action, wanted, null, outcome

-- name: others
-- The rollout of a fleet that one program is at: its number, what, who has begun it and when, and the session it holds.
select r.id, r.action, r.began_by, to_char(r.began_at, 'YYYY-MM-DD HH24:MI:SS TZ'), r.pid
from pgvouch_fleet.rollout as r
  -- Of another role's session it is not told since when it is.
  join pg_stat_activity as b on b.pid = r.pid and coalesce(b.backend_start = r.pid_since, true)
where r.fleet = {fleet} and r.ended_at is null and r.queue is null

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

-- name: rollout_history
-- The last rollouts of a fleet, the newest first: number, what, what was wanted, when it began, how it ended, and how many
-- databases are in which state, as JSON.
select
  r.id, r.action, r.wanted, to_char(r.began_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'), r.outcome,
  (
    select coalesce(json_object_agg(s.state, s.number), '{}')::text
    from (
      select d.state, count(*) as number from pgvouch_fleet.result as d where d.rollout = r.id group by d.state
    ) as s
  )
from pgvouch_fleet.rollout as r
where r.fleet = {fleet}
order by r.id desc
limit {most}

-- name: trusted_path
-- A search_path without those schemas in which a stranger may create: an operator there that fits better would be taken ahead of
-- PostgreSQL's own, and run as us. Then the schemas that were left out.
with judged as (
  select
    n.nspname, s.place,
    not exists (
      select
      from (
        select n.nspowner as role
        union all
        select a.grantee
        from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as a
        where a.privilege_type = 'CREATE'
      ) as may
        left join pg_roles as r on r.oid = may.role
        join pg_roles as m on m.rolname = current_user
        join pg_database as d on d.datname = current_database()
      where r.oid is null
        or not r.rolsuper and r.rolname <> 'pg_database_owner' and r.oid not in (m.oid, d.datdba)
          and (m.rolsuper or not pg_has_role(m.oid, r.oid, 'member'))
    ) as is_trusted
  from unnest({schemas}::name[]) with ordinality as s (name, place)
    join pg_namespace as n on n.nspname = s.name
)
select
  concat_ws(
    ', ', 'pg_catalog', string_agg(quote_ident(j.nspname), ', ' order by j.place) filter (where j.is_trusted), 'pg_temp'
  ),
  string_agg(j.nspname, ', ' order by j.place) filter (where not j.is_trusted)
from judged as j

-- name: has_queue
-- Whether the queue is there.
select to_regclass('pgvouch_queue.procrastinate_workers') is not null

-- name: elsewhere
-- The rollouts of a fleet that are under way on another queue: of other files, or another list of databases.
select r.id
from pgvouch_fleet.rollout as r
where r.fleet = {fleet} and r.queue is not null and r.queue <> {queue} and r.ended_at is null

-- name: results
-- What became of each database in a rollout.
select r.target, r.state, r.seconds, r.version, r.finished, r.cause
from pgvouch_fleet.result as r
where r.rollout = {rollout}

-- name: queue_files
-- Which of procrastinate's files are applied; and how many rollouts are on a queue.
select q.name from pgvouch_fleet.queue_migration as q;
select count(*) from pgvouch_fleet.rollout as r where r.queue is not null and r.ended_at is null

-- name: begin_queue_file
-- Whether a file is applied already, asked under a lock that keeps others from applying it meanwhile.
lock table pgvouch_fleet.queue_migration in share row exclusive mode;
select exists (select from pgvouch_fleet.queue_migration as q where q.name = {name})

-- name: end_queue_file
-- Writes down that a file is applied. No result.
insert into pgvouch_fleet.queue_migration (name, tool_version) values ({name}, {tool_version})

-- name: fix_queue_paths
-- Has each function of the queue resolve names in its own schema, whoever calls it. No result.
do $pgvouch$
declare
  entry record;
begin
  for entry in
    select p.oid::regprocedure as name
    from pg_proc as p
    where p.pronamespace = to_regnamespace('pgvouch_queue')
      and p.proconfig is distinct from array['search_path=pgvouch_queue, pg_temp']
  loop
    execute format('alter function %s set search_path = pgvouch_queue, pg_temp', entry.name);
  end loop;
end
$pgvouch$

-- name: queue_stranger
-- Who owns the queue's schema, if that is nobody who could do as much without it: its functions are run by whoever uses them.
select pg_get_userbyid(n.nspowner)
from pg_namespace as n
  join pg_roles as o on o.oid = n.nspowner
  join pg_roles as m on m.rolname = current_user
  join pg_database as d on d.datname = current_database()
where n.nspname = 'pgvouch_queue'
  and not o.rolsuper and o.rolname <> 'pg_database_owner'
  and n.nspowner not in (m.oid, d.datdba)
  and n.nspowner <> (select c.relowner from pg_class as c where c.oid = to_regclass('pgvouch_fleet.queue_migration'))
  and (m.rolsuper or not pg_has_role(n.nspowner, 'member'))

-- name: queue_lacks
-- Which of some names are no relation, type or function of the queue.
select n.name
from unnest({names}::text[]) as n (name)
where to_regclass('pgvouch_queue.' || n.name) is null
  and to_regtype('pgvouch_queue.' || n.name) is null
  and not exists (
    select from pg_proc as p where p.pronamespace = to_regnamespace('pgvouch_queue') and p.proname = n.name
  )

-- name: enqueue_rollout
-- Writes down a rollout whose jobs go on a queue, and returns it; nothing, where a program is at another one of the fleet.
insert into pgvouch_fleet.rollout (fleet, action, wanted, queue, settings, waves, wave)
select {fleet}, {action}, {wanted}, {queue}, {settings}::jsonb, {waves}::jsonb, 0
where not exists (
  select from pgvouch_fleet.rollout as r
    join pg_stat_activity as b on b.pid = r.pid and coalesce(b.backend_start = r.pid_since, true)
  where r.fleet = {fleet} and r.ended_at is null and r.queue is null
)
returning id, key, fleet, action, wanted, null, outcome

-- name: enqueue_targets
-- Writes down the databases of a rollout that are to be done; among them may be some that were gone. No result.
insert into pgvouch_fleet.result (rollout, wave, target, server, state, finished, seconds)
select {rollout}, r.wave, r.target, r.server, 'queued', '[]', 0
from jsonb_to_recordset({rows}::jsonb) as r (target text, server text, wave integer)
on conflict (rollout, target) do update
set wave = excluded.wave, server = excluded.server, state = excluded.state, cause = null, at = clock_timestamp()
where result.state = 'gone'

-- name: queued_rollout
-- A rollout that is on a queue, locked: its number, key, fleet, what, wanted, when and how it ended, its queue, settings,
-- waves, which of them is under way, and whether it is paused.
select
  r.id, r.key, r.fleet, r.action, r.wanted,
  to_char(r.ended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
  r.outcome, r.queue, r.settings::text, r.waves::text, r.wave, r.paused
from pgvouch_fleet.rollout as r
where r.id = {rollout} and r.queue is not null
for no key update

-- name: last_queued
-- The number of a fleet's last rollout on a queue, or that number if it is one of them.
select r.id
from pgvouch_fleet.rollout as r
where r.fleet = {fleet} and r.queue is not null and ({number}::bigint is null or r.id = {number}::bigint)
order by r.id desc
limit 1

-- name: queued_of
-- The rollout of a fleet that is under way on a queue.
select r.id from pgvouch_fleet.rollout as r where r.fleet = {fleet} and r.queue is not null and r.ended_at is null

-- name: under_way
-- The numbers of the rollouts that are under way on a queue.
select r.id from pgvouch_fleet.rollout as r where r.queue = {queue} and r.ended_at is null

-- name: stands
-- How a wave stands: how many of its databases are open, and how many of them have failed.
select
  count(*) filter (where r.state in ('queued', 'begun')),
  count(*) filter (where r.state = any ({failing}))
from pgvouch_fleet.result as r
where r.rollout = {rollout} and r.wave = {wave}

-- name: wave_results
-- What became of each database of a wave.
select r.target, r.state, r.seconds, r.version, r.finished, r.cause
from pgvouch_fleet.result as r
where r.rollout = {rollout} and r.wave = {wave}
order by r.target

-- name: let_go_of_lost
-- Lets others take the databases of jobs that are not there any more. No result.
update pgvouch_fleet.result as r
set job = null
where r.rollout = {rollout} and r.wave = {wave} and r.state = 'begun' and r.job is not null
  and not exists (
    select from pgvouch_queue.procrastinate_jobs as j where j.id = r.job and j.status in ('todo', 'doing')
  )

-- name: end_lost
-- Of rollouts of a queue that have ended: writes down why databases failed that no job is at any more. No result.
update pgvouch_fleet.result as r
set state = 'failed', cause = {cause}, job = null, at = clock_timestamp()
from pgvouch_fleet.rollout as o
where o.queue = {queue} and o.ended_at is not null and r.rollout = o.id and r.state = 'begun'
  and not exists (
    select from pgvouch_queue.procrastinate_jobs as j where j.id = r.job and j.status in ('todo', 'doing')
  )

-- name: open_servers
-- The servers of a wave that have databases to be done: how many, and which of their slots have a job.
select
  r.server,
  count(*),
  array(
    select (j.args ->> 'slot')::integer
    from pgvouch_queue.procrastinate_jobs as j
    where j.queue_name = {queue} and j.status in ('todo', 'doing') and j.args ->> 'rollout' = {rollout}::text
      and j.args ->> 'wave' = {wave}::text and j.args ->> 'server' = r.server
  )
from pgvouch_fleet.result as r
where r.rollout = {rollout} and r.wave = {wave} and r.state in ('queued', 'begun')
group by r.server
order by r.server

-- name: is_judged
-- Whether a job that judges a wave waits, or is under way.
select exists (
  select from pgvouch_queue.procrastinate_jobs as j
  where j.queue_name = {queue} and j.status in ('todo', 'doing') and j.task_name = {task}
    and j.args ->> 'rollout' = {rollout}::text and j.args ->> 'wave' = {wave}::text
)

-- name: names
-- The names of the databases of a rollout, but for those that are gone for a cause: they may have come back.
select r.target
from pgvouch_fleet.result as r
where r.rollout = {rollout} and (r.state <> 'gone' or r.cause is distinct from {but_for})

-- name: claim
-- Takes databases of a server for a job, those first that it had before: their names, whether they were begun before, and
-- when they were taken, which tells this taking from any other. None, where it is to stop.
with taken as (
  select r.target, r.state = 'begun' as is_again
  from pgvouch_fleet.result as r
    join pgvouch_fleet.rollout as o on o.id = r.rollout
  where r.rollout = {rollout} and r.wave = {wave} and r.server = {server}
    and (r.state = 'queued' or r.state = 'begun' and coalesce(r.job = {job}, true))
    and o.ended_at is null and not o.paused and o.wave = {wave}
  order by r.state, r.target
  -- No more than its share of what is left, so that all end at about the same time; but not so few that it is asking that
  -- takes the time.
  limit greatest({least}, least({most}, (
    select count(*) / (2 * {slots})
    from pgvouch_fleet.result as q
    where q.rollout = {rollout} and q.wave = {wave} and q.server = {server} and q.state = 'queued'
  )))
  for update of r skip locked
)
update pgvouch_fleet.result as r
set state = 'begun', job = {job}, at = clock_timestamp()
from taken
where r.rollout = {rollout} and r.target = taken.target
returning r.target, taken.is_again, extract(epoch from r.at)::text

-- name: is_left
-- Whether a server has databases of a wave that nobody is at.
select exists (
  select from pgvouch_fleet.result as r
  where r.rollout = {rollout} and r.wave = {wave} and r.server = {server} and r.state = 'queued'
)

-- name: put
-- Writes down what became of databases, of each if nobody else has taken it since. Then whether the rollout goes on, and how
-- many of the wave have failed.
update pgvouch_fleet.result as r
set state = n.state, version = n.version, finished = n.finished, cause = n.cause, seconds = n.seconds, job = null,
  at = clock_timestamp()
from jsonb_to_recordset({rows}::jsonb)
  as n (target text, state text, version text, finished text, cause text, seconds double precision, taken_at numeric)
where r.rollout = {rollout} and r.target = n.target and r.state = 'begun' and extract(epoch from r.at) = n.taken_at;
select
  r.ended_at is null and not r.paused,
  (
    select count(*) from pgvouch_fleet.result as f
    where f.rollout = r.id and f.wave = {wave} and f.state = any ({failing})
  )
from pgvouch_fleet.rollout as r
where r.id = {rollout}

-- name: give_back
-- Lets go of databases that a job has not begun: for the next one, or for good where the rollout has ended. No result.
update pgvouch_fleet.result as r
set state = case when o.ended_at is null then 'queued' else 'left' end, job = null, at = clock_timestamp()
from pgvouch_fleet.rollout as o, unnest({targets}::text[], {taken_at}::numeric[]) as n (target, taken_at)
where r.rollout = {rollout} and r.target = n.target and r.state = 'begun' and extract(epoch from r.at) = n.taken_at and o.id = r.rollout

-- name: next_wave
-- Goes on to the next wave, and stops ahead of it where that is wanted. No result.
update pgvouch_fleet.rollout set wave = wave + 1, paused = paused or {pauses}, waves = {waves}::jsonb where id = {rollout}

-- name: set_paused
-- Pauses a rollout, or lets it go on. No result.
update pgvouch_fleet.rollout set paused = {paused} where id = {rollout}

-- name: stop_rollout
-- Ends a rollout: what has not been begun is left. No result.
update pgvouch_fleet.result set state = 'left', at = clock_timestamp() where rollout = {rollout} and state = 'queued';
update pgvouch_fleet.rollout set ended_at = clock_timestamp(), outcome = {outcome}, paused = false where id = {rollout}

-- name: live_jobs
-- The jobs of a rollout that wait, or are under way.
select j.id, j.status = 'doing'
from pgvouch_queue.procrastinate_jobs as j
where j.queue_name = {queue} and j.status in ('todo', 'doing') and j.args ->> 'rollout' = {rollout}::text

-- name: progress
-- How many databases of each wave are in which state; and how many seconds ago the last of them changed.
select r.wave, r.state, count(*), extract(epoch from clock_timestamp() - max(r.at))
from pgvouch_fleet.result as r
where r.rollout = {rollout}
group by r.wave, r.state
order by r.wave, r.state

-- name: at_work
-- How many databases of a rollout are with workers that have said of late that they live; and for how many seconds the one
-- that was taken first.
select count(*), coalesce(extract(epoch from clock_timestamp() - min(r.at)), 0)
from pgvouch_fleet.result as r
  join pgvouch_queue.procrastinate_jobs as j on j.id = r.job
  join pgvouch_queue.procrastinate_workers as w on w.id = j.worker_id
where r.rollout = {rollout} and r.state = 'begun' and j.status = 'doing'
  and w.last_heartbeat > clock_timestamp() - make_interval(secs => {silent_s})

-- name: causes
-- Why databases are in some states in a rollout, the most frequent cause first, with some of their names.
select r.state, r.cause, count(*), to_json((array_agg(r.target order by r.target))[1:{names}])::text
from pgvouch_fleet.result as r
where r.rollout = {rollout} and r.state = any ({told})
group by r.state, r.cause
order by 3 desc, 1, 2

-- name: forget_jobs
-- Removes the jobs of rollouts that ended, and with them their events: what became of databases stays. No result.
delete from pgvouch_queue.procrastinate_jobs as j
where j.queue_name = {queue} and j.status not in ('todo', 'doing')
