-- The ledger, read and written. Each block says what it returns; what stands in braces is filled in, as a literal unless
-- it is SQL itself. Names without a schema are those of pg_catalog: the message sets the search_path.

-- name: hold
-- Keeps the tables what they are while they are judged and read: otherwise others could be put in their place between the
-- one and the other. To compile a query takes longer than to run it, however many rows there are. No result.
set local lock_timeout = {timeout};
set local jit = off;
lock table only pgvouch.ledger, only pgvouch.migration, only pgvouch._yoyo_migration in access share mode

-- name: rows
-- The version of the ledger; what we know of each migration, in the order of the fields of Applied; and what yoyo's own table
-- has, which stock yoyo writes, too. They are plain, and `_in_order` joins them: to plan a join, and to find functions that
-- format times, takes a new connection longer than to read all of the rows.
set local datestyle = 'ISO';
set local timezone = 'UTC';
select version from pgvouch.ledger;
select
  migration_id, state, checksum, applied_at, applied_by, duration_ms, checks_passed, rollback_sql is not null,
  statements_done, coalesce(running, refused), applied_order
from pgvouch.migration;
select migration_id, applied_at_utc from pgvouch._yoyo_migration

-- name: copies
-- What `rows` gives, without what only people read, as COPYs: these plan nothing, and so take a tenth of the time on a new
-- connection. Ahead of it who we are, and who owns each schema: nobody else can have put a table there. A COPY evaluates no
-- index, check, default, cast or statistics, and no view; what writes a type as text is C, which only a superuser can have
-- made; and where policies would be evaluated it fails, as it is asked to.
select to_regrole(quote_ident(current_user))::oid;
set local row_security = off;
set local datestyle = 'ISO';
set local timezone = 'UTC';
copy pg_namespace (nspname, nspowner) to stdout;
copy pgvouch.ledger (version) to stdout;
copy pgvouch.migration (
  migration_id, state, checksum, statements_done, running, refused, applied_order, applied_at
) to stdout;
copy pgvouch._yoyo_migration (migration_id, applied_at_utc) to stdout

-- name: rollback_texts
-- The rollbacks that were stored with migrations, why one may not be run, and what they have to undo.
select migration_id, rollback_sql, irreversible, delta
from pgvouch.migration
where migration_id = any ({ids})

-- name: deltas
-- What each migration did to the catalog, where that was compared: a line for each object.
select migration_id, delta
from pgvouch.migration
where state = 'applied' and delta is not null

-- name: act_as_owner
-- Makes us the role that migrates, until the transaction ends. A row, which does not matter.
select set_config('role', pg_get_userbyid(c.relowner), true)
from pg_class as c
where c.oid = to_regclass('pgvouch.migration')

-- name: recorded
-- Which of some migrations the ledger has; of one that is on its way also how many of its statements are done.
select y.migration_id, null from pgvouch._yoyo_migration as y where y.migration_id = any ({ids})
union all
select m.migration_id, coalesce(m.statements_done, 0)
from pgvouch.migration as m
where m.migration_id = any ({ids}) and m.state in ('incomplete', 'undoing')

-- name: record
-- Records a migration in yoyo's tables ({mark} and {log}) and in ours, in one statement, with a new place in the order.
-- Returns 0, and fails where the transaction is not {xid}: the file has ended that one.
with mark as ({mark}), log as ({log}), own as (
  insert into pgvouch.migration (
    migration_id, state, checksum, rollback_sql, irreversible, transactional, duration_ms, checks_passed, delta,
    tool_version
  ) values (
    {id}, {state}, {checksum}, {rollback_sql}, {irreversible}, {transactional},
    {duration_ms}, {checks_passed}, {delta}, {tool_version}
  )
  on conflict (migration_id) do update set
    state = excluded.state,
    checksum = excluded.checksum,
    rollback_sql = excluded.rollback_sql,
    irreversible = excluded.irreversible,
    transactional = excluded.transactional,
    statements_done = null,
    progress = null,
    running = null,
    running_before = null,
    refused = null,
    token = null,
    pid = null,
    touched_at = null,
    applied_order = default,
    applied_at = excluded.applied_at,
    duration_ms = excluded.duration_ms,
    checks_passed = excluded.checks_passed,
    delta = excluded.delta,
    applied_by = excluded.applied_by,
    tool_version = excluded.tool_version
)
select (case when pg_current_xact_id_if_assigned()::text = {xid} then '0' else 'pgvouch: ended' end)::int

-- name: forget
-- Removes a migration from yoyo's tables ({unmark} and {log}) and from ours, in one statement; fails as `record` does.
with unmark as ({unmark}), log as ({log}), own as (
  delete from pgvouch.migration where migration_id = {id}
)
select (case when pg_current_xact_id_if_assigned()::text = {xid} then '0' else 'pgvouch: ended' end)::int

-- name: has_repeatables
-- Whether repeatable migrations were ever run here.
select to_regclass('pgvouch.repeatable') is not null

-- name: repeatables
-- Every run of repeatable migrations, in order.
select
  run_order, repeatable_id, checksum, after_id, rollback_sql is not null,
  to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
  applied_by, duration_ms, checks_passed, delta
from pgvouch.repeatable
order by run_order

-- name: repeatable_text
-- The SQL of one run, and what takes it away.
select sql, rollback_sql from pgvouch.repeatable where run_order = {run_order}

-- name: record_repeatable
-- Records a run, behind the newest migration. Returns 0, and fails where the transaction is not {xid}.
with own as (
  insert into pgvouch.repeatable (
    repeatable_id, checksum, sql, rollback_sql, after_id, duration_ms, checks_passed, delta, tool_version
  ) values (
    {id}, {checksum}, {sql}, {rollback_sql},
    (select m.migration_id from pgvouch.migration as m order by m.applied_order desc limit 1),
    {duration_ms}, {checks_passed}, {delta}, {tool_version}
  )
)
select (case when pg_current_xact_id_if_assigned()::text = {xid} then '0' else 'pgvouch: ended' end)::int

-- name: forget_repeatable
-- Forgets the runs of a repeatable migration behind one of them; 0 forgets all. Fails as `record_repeatable` does.
with own as (
  delete from pgvouch.repeatable where repeatable_id = {id} and run_order > {run_order}
)
select (case when pg_current_xact_id_if_assigned()::text = {xid} then '0' else 'pgvouch: ended' end)::int

-- name: accept
-- Records a changed file as harmless, with the reason. No result.
insert into pgvouch.acceptance (migration_id, recorded, accepted, why)
values ({id}, {recorded}, {accepted}, {why});
update pgvouch.migration set checksum = {accepted} where migration_id = {id}

-- name: relations
-- The tables of the ledger, as an array; those that are not there are null in it.
array[
  to_regclass('pgvouch.ledger'), to_regclass('pgvouch.migration'), to_regclass('pgvouch.acceptance'),
  to_regclass('pgvouch.repeatable'), to_regclass('pgvouch._yoyo_migration'), to_regclass('pgvouch._yoyo_log'),
  to_regclass('pgvouch._yoyo_version')
]::oid[]

-- name: of_ledger
-- A condition: the same tables, of a role that may not look into the schema, too.
n.nspname = 'pgvouch'
and c.relname in (
  'ledger', 'migration', 'acceptance', 'repeatable', '_yoyo_migration', '_yoyo_log', '_yoyo_version'
)

-- name: is_plain
-- Fails with the word `unsure` where the ledger may be one that the block `trust` refuses. What passes here passes there:
-- it all belongs to the role that acts, and the rest is asked of as few catalogs and with as few words as can tell it, for
-- each costs a new connection as much as reading the ledger. So it is stricter. A foreign key to a table depends on the
-- index there; one that is not enforced has no trigger. Whoever inherits from a catalog is found in pg_inherits alone.
-- {oids} is the block `relations`. The caller has locked them.
select (
  case
    when exists (
      select from pg_namespace as n
      where n.nspname = 'pgvouch' and n.nspowner is distinct from to_regrole(quote_ident(current_user))
    )
    or exists (
      select from pg_class as c
      where c.oid = any ({oids})
        and (
          c.relkind <> 'r' or c.relrowsecurity or c.relhasrules or c.relhastriggers or c.relhassubclass
          or c.relowner is distinct from to_regrole(quote_ident(current_user))
        )
    )
    or exists (select from pg_inherits as i where i.inhrelid = any ({oids}))
    -- what depends on the index of a constraint, and not on the table: 12000 is the first object that is not pinned
    or exists (
      select from pg_index as x
      where x.indrelid = any ({oids}) and (x.indisexclusion or 12000 <= any (x.indclass))
    )
    or exists (
      select from pg_depend as d
      where d.classid = 'pg_class'::regclass and d.objid = any ({oids})
        and d.refclassid in (
          'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass, 'pg_opclass'::regclass
        )
    )
    or exists (
      select from pg_depend as p
      where p.refclassid = 'pg_class'::regclass and p.refobjid = any ({oids}) and p.classid <> 'pg_type'::regclass
        -- with a limit it is no join, which is quicker planned
        and (
          select true from pg_depend as d
          where d.classid = p.classid and d.objid = p.objid
            and (
              d.refclassid in (
                'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass, 'pg_opclass'::regclass
              )
              or p.classid = 'pg_constraint'::regclass
              and d.refclassid = 'pg_class'::regclass and d.refobjid <> p.refobjid
            )
          limit 1
        )
    )
    then 'pgvouch: unsure'
    else '0'
  end
)::int

-- name: trust
-- Whether a ledger may be believed: what it says decides what is run, and its stored rollbacks are run as they are. Its
-- schema and tables belong to a role that could do as much without it, and the tables are tables: no view, rule,
-- trigger or row security runs another role's code, or hides a row, when they are read. Nor is there a type, index,
-- default or constraint with a function of another role: a cast is found whatever the search_path is, and planning a query
-- evaluates what is constant in an index's expression. A foreign key on the ledger fires triggers of another table.
-- Fails with {untrusted}; passes where there is nothing. {relations} are the relations that are asked about, {owners}
-- whether their owners matter, which they always do to a superuser. The caller has locked them, where they are read.
do $pgvouch$
declare
  flaw record;
begin
  with recursive mine (id) as (
    -- The role that acts, the one that has logged in, and those whose rights they have or can take.
    select r.oid from pg_roles as r where r.rolname in (current_user, session_user)
    union
    select m.roleid
    from pg_auth_members as m
      join mine on mine.id = m.member
    -- Up to 15 a member has both; from 16 on a grant may be for administration only.
    where coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
      or coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
  ),
  believed (id) as (
    select mine.id from mine
    union
    select r.oid from pg_roles as r where r.rolsuper or r.rolname = 'pg_database_owner'
    union
    select d.datdba from pg_database as d where d.datname = current_database()
  ),
  asked as (
    select c.oid, c.relname, c.relkind, c.relowner, c.relpersistence, c.relrowsecurity, c.relnamespace
    from pg_class as c
      join pg_namespace as n on n.oid = c.relnamespace
    where {relations}
  ),
  flaws (object, owner, what) as (
    select format('schema %I', n.nspname), n.nspowner, null
    from pg_namespace as n
    where n.nspname = 'pgvouch'
    union all
    select
      format('%I.%I', n.nspname, a.relname),
      a.relowner,
      case
        when a.relkind <> 'r' then 'it is no ordinary table'
        when a.relpersistence = 't' then 'it is a temporary table'
        when a.relrowsecurity then 'it has row level security'
        when exists (select from pg_rewrite as r where r.ev_class = a.oid) then 'it has a rule'
        when exists (select from pg_trigger as t where t.tgrelid = a.oid and not t.tgisinternal) then 'it has a trigger'
        when exists (select from pg_inherits as i where a.oid in (i.inhrelid, i.inhparent)) then 'it inherits'
        -- Found by what depends on the table, for which there is an index; pg_constraint has none for it.
        when {owners} and exists (
          select from pg_depend as d
            join pg_constraint as k on k.oid = d.objid
          where d.refclassid = 'pg_class'::regclass and d.refobjid = a.oid
            and d.classid = 'pg_constraint'::regclass and k.confrelid = a.oid
        ) then 'a foreign key refers to it'
        -- What comes with PostgreSQL is pinned, and nothing is recorded to depend on it. The index of a constraint depends
        -- on the constraint, and not on the table.
        when exists (
          with recursive own (classid, objid) as (
            select 'pg_class'::regclass::oid, a.oid
            union
            select p.classid, p.objid
            from pg_depend as p
              join own on own.classid = p.refclassid and own.objid = p.refobjid
            where p.deptype in ('a', 'i') and p.classid <> 'pg_type'::regclass
          )
          select from own
            join pg_depend as d on d.classid = own.classid and d.objid = own.objid
          where d.refclassid in (
              'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass, 'pg_opclass'::regclass
            )
        ) then 'it has a type or a function that is not PostgreSQL''s'
      end
    from asked as a
      join pg_namespace as n on n.oid = a.relnamespace
  )
  select
    f.object,
    coalesce(f.what, 'its owner is ' || quote_ident(pg_get_userbyid(f.owner))) as what,
    f.what is null as foreign_owner
  into flaw
  from flaws as f
  where f.what is not null
    or (
      f.owner not in (select b.id from believed as b)
      and ({owners} or exists (
        select from pg_roles as r where r.rolname in (current_user, session_user) and r.rolsuper
      ))
    )
  order by f.object
  limit 1;
  if found then
    raise exception using
      errcode = {untrusted},
      message = flaw.object,
      detail = flaw.what,
      hint = case when flaw.foreign_owner then 'owner' else 'shape' end;
  end if;
end
$pgvouch$

-- name: has_ledger
-- Whether there is a schema of our name, and a ledger in it.
select
  to_regnamespace('pgvouch') is not null,
  exists (
    select from pg_class as c
      join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = 'pgvouch' and c.relname = 'ledger'
  )

-- name: yoyo_in_path
-- The table of stock yoyo that is found where yoyo looks, and our schema. Qualified, and without an operator: this one
-- statement has to see the session's search_path.
select pg_catalog.to_regclass('_yoyo_migration')::pg_catalog.oid, pg_catalog.to_regnamespace('pgvouch')

-- name: find_yoyo
-- The names of the tables of stock yoyo, qualified and quoted; those in our schema first.
select format('%I.%I', n.nspname, c.relname), format('%I.%I', n.nspname, '_yoyo_log')
from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
where {wanted}
order by n.nspname <> 'pgvouch'

-- name: history
-- What was done with each migration, the oldest first: when, the migration, what, who on which machine as yoyo's log has it,
-- and as which role, where our row still says so. What has a row and no entry in the log was recorded by other means.
with log as (
  select
    l.*,
    row_number() over (partition by l.migration_id order by l.created_at_utc desc, l.id desc) = 1 as is_newest
  from pgvouch._yoyo_log as l
),
told as (
  select
    l.created_at_utc at time zone 'UTC' as at,
    l.migration_id,
    case
      when m.state = 'provided' then 'provided'
      when l.operation = 'apply' then 'applied'
      when l.operation = 'rollback' then 'rolled back'
      when l.operation = 'mark' then 'recorded'
      when l.operation = 'unmark' then 'forgotten'
      else l.operation
    end as what,
    l.username,
    l.hostname,
    m.applied_by,
    l.comment as why
  from log as l
    left join pgvouch.migration as m
      on m.migration_id = l.migration_id and l.is_newest and l.operation in ('apply', 'mark')
  union all
  select m.applied_at, m.migration_id, case m.state when 'provided' then 'provided' else 'recorded' end, null, null,
    m.applied_by, null
  from pgvouch.migration as m
  where m.state in ('applied', 'provided')
    and not exists (select from pgvouch._yoyo_log as l where l.migration_id = m.migration_id)
  union all
  select a.accepted_at, a.migration_id, 'accepted', null, null, a.accepted_by, a.why
  from pgvouch.acceptance as a
)
select
  to_char(t.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
  t.migration_id, t.what, t.username, t.hostname, t.applied_by, t.why
from told as t
order by t.at, t.migration_id

-- name: yoyo_history
-- The same of a database that only stock yoyo knows.
select
  to_char(l.created_at_utc, 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
  l.migration_id,
  case l.operation
    when 'apply' then 'applied' when 'rollback' then 'rolled back'
    when 'mark' then 'recorded' when 'unmark' then 'forgotten'
    else l.operation
  end,
  l.username, l.hostname, null, null
from {log} as l
order by l.created_at_utc, l.id

-- name: yoyo_rows
-- What stock yoyo has recorded, in the order of application.
select migration_id from {table} order by applied_at_utc, migration_id

-- name: copy_yoyo
-- Copies the tables of stock yoyo from another schema. No result.
insert into pgvouch._yoyo_migration select * from {migration};
insert into pgvouch._yoyo_log select * from {log}

-- name: take_over_yoyo
-- Adds a row for everything that stock yoyo has recorded. No result.
insert into pgvouch.migration (migration_id, state, applied_at, applied_by)
select migration_id, 'applied', applied_at_utc at time zone 'UTC', 'yoyo'
from {migration}
order by applied_at_utc, migration_id

-- name: lock
-- Takes the runners' lock, and fails where it cannot: with a cast of the word that says why, for a DO block would be
-- compiled anew each time. It never waits, because a waiting transaction holds a snapshot for which CREATE INDEX
-- CONCURRENTLY would wait in turn. The lock is on a row that only the ledger's owner may lock.
with held as materialized (
  select from pgvouch.ledger for update skip locked
)
select (
  case
    when current_setting('default_transaction_read_only') = 'on' then 'pgvouch: read_only'
    when exists (select from held) then '0'
    when exists (select from pgvouch.ledger) then 'pgvouch: locked'
    else 'pgvouch: no_row'
  end
)::int

-- name: guard
-- Reads the ledger again under the lock, and fails where it is not what was planned with; in a statement of its own, whose
-- snapshot is younger than the lock. The row is written, too: under REPEATABLE READ a runner whose snapshot is older than
-- another session's work then fails with 40001, and tries again. So its xmin is the transaction that has changed the
-- ledger last, and where that is {written_by}, our own, nothing need be counted. {moved} and {other} are conditions: the
-- migration was done by another runner, the ledger is not what was planned with. Returns our transaction, our backend,
-- and two settings.
with written as (
  update pgvouch.ledger set version = version
)
select
  (
    case
      when {moved} then 'pgvouch: moved'
      when l.xmin::text <> {written_by} and {other} then 'pgvouch: other'
      else '0'
    end
  )::int,
  pg_current_xact_id()::text,
  pg_backend_pid(),
  current_setting('lock_timeout'),
  current_setting('deadlock_timeout')
from pgvouch.ledger as l

-- name: is_applied
-- A condition: the migration is applied. The hash is the key of yoyo's table.
exists (select from pgvouch._yoyo_migration where migration_hash = {hash} and migration_id = {id})

-- name: is_gone
-- A condition: the migration is not applied, and no rollback of it has stopped on its way.
not exists (select from pgvouch._yoyo_migration where migration_hash = {hash} and migration_id = {id})
and not exists (select from pgvouch.migration where migration_id = {id} and state = 'undoing')

-- name: has_newer
-- A condition: a migration was applied after this one.
exists (
  select from pgvouch.migration as newer
    join pgvouch.migration as own on own.applied_order < newer.applied_order
  where own.migration_id = {id}
)

-- name: has_other_count
-- A condition: the ledger does not have as many migrations as were planned with.
(select count(*) from pgvouch._yoyo_migration) <> {recorded}

-- name: is_run
-- A condition: a repeatable migration was run with this text since it was planned behind the run {in_force}.
(
  select r.run_order > {in_force} and r.checksum = {checksum}
  from pgvouch.repeatable as r where r.repeatable_id = {id} order by r.run_order desc limit 1
)

-- name: is_in_force
-- A condition: this run of a repeatable migration is in force; 0: none is.
coalesce((select max(r.run_order) from pgvouch.repeatable as r where r.repeatable_id = {id}), 0) = {run_order}

-- name: lock_holder
-- The runner that holds the lock: it has written the ledger's row, and others see its transaction as the old row's xmax.
select
  a.pid,
  a.usename,
  a.application_name,
  host(a.client_addr),
  a.state,
  date_part('epoch', clock_timestamp() - a.xact_start),
  a.query,
  null,
  null
from pgvouch.ledger as w
  join pg_locks as l on l.locktype = 'transactionid' and l.transactionid = w.xmax and l.granted
  join pg_stat_activity as a on a.pid = l.pid
where l.mode = 'ExclusiveLock'

-- name: creator
-- Where there is no ledger yet: the session with the oldest open transaction that has written something, which may hold
-- the name of the schema that is to be made.
select
  a.pid,
  a.usename,
  a.application_name,
  host(a.client_addr),
  a.state,
  date_part('epoch', clock_timestamp() - a.xact_start),
  a.query,
  null,
  null
from pg_stat_activity as a
where a.datname = current_database()
  and a.pid <> pg_backend_pid()
  and a.backend_xid is not null
order by a.xact_start
limit 1

-- name: lease
-- The lease on a migration that is under way, or in any state, and whether it was written within the grace period.
select
  state,
  coalesce(statements_done, 0),
  progress,
  running,
  running_before,
  refused,
  token,
  pid,
  touched_at > pg_catalog.clock_timestamp() - {grace}::interval
from pgvouch.migration
where migration_id = {id} and ({any_state} or state in ('incomplete', 'undoing'))

-- name: runner_alive
-- The backend that works, or has just worked, on a non-transactional migration: its messages carry the token of the
-- ledger's row. Behind a pooler an idle backend keeps the text of its last message, so an idle one counts for a
-- moment only. Where another role's messages are hidden from us, the recorded pid has to do. A role that may not write the
-- ledger is no runner, whatever its messages say.
select
  a.pid,
  a.usename,
  a.application_name,
  pg_catalog.host(a.client_addr),
  a.state,
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.query_start),
  a.query,
  null,
  null
from pg_catalog.pg_stat_activity as a
where a.datname = pg_catalog.current_database()
  and a.pid <> pg_catalog.pg_backend_pid()
  and pg_catalog.has_table_privilege(a.usesysid, 'pgvouch.migration', 'update')
  and (
    (
      pg_catalog.strpos(pg_catalog.left(a.query, 300), {token}) > 0
      and (a.state <> 'idle' or a.state_change > pg_catalog.clock_timestamp() - {grace}::interval)
    )
    or (a.pid = {pid} and a.query = '<insufficient privilege>')
  )
limit 1

-- name: take_lease
-- Takes, or takes over, the lease on a migration; how far it is, and what it stopped in, stays as it is. The caller holds
-- the lock. No result.
insert into pgvouch.migration (migration_id, state, transactional)
values ({id}, {state}, false)
on conflict (migration_id) do nothing;
update pgvouch.migration
set
  state = {state},
  transactional = false,
  token = {token},
  pid = pg_catalog.pg_backend_pid(),
  statements_done = coalesce(statements_done, 0),
  progress = coalesce(progress, {nothing_done}),
  touched_at = pg_catalog.clock_timestamp()
where migration_id = {id}

-- name: keep_lease
-- Fails where another runner has taken over; the body of a DO block.
  if not exists (select from pgvouch.migration where migration_id = {id} and token = {token}) then
    raise exception using errcode = {taken_over}, message = 'another runner has taken over';
  end if;

-- name: record_step
-- Records how far a migration is, and fails where another runner has taken over; the body of a DO block.
  update pgvouch.migration
  set
    statements_done = {done},
    progress = {progress},
    running = {running},
    running_before = {before},
    refused = {refused},
    pid = pg_catalog.pg_backend_pid(),
    touched_at = pg_catalog.clock_timestamp()
  where migration_id = {id} and token = {token};
  if not found then
    raise exception using errcode = {taken_over}, message = 'another runner has taken over';
  end if;

-- name: release_lease
-- Gives a lease up, so that others need not wait for us. A migration of which nothing was rolled back is applied again. No
-- result.
update pgvouch.migration set token = null, touched_at = null where migration_id = {id} and token = {token};
update pgvouch.migration as m
set state = 'applied', statements_done = null, progress = null
where m.migration_id = {id}
  and m.state = 'undoing'
  and m.token is null
  and m.statements_done = 0
  and m.running is null
  and m.refused is null
  and exists (select from pgvouch._yoyo_migration as y where y.migration_id = m.migration_id)

-- name: write_lease
-- Writes a lease as a person has settled it; no runner works on it. No result.
update pgvouch.migration
set
  state = {state},
  statements_done = {done},
  progress = {progress},
  running = {running},
  running_before = {before},
  refused = {refused},
  token = null,
  touched_at = null
where migration_id = {id}
