-- Statements around those of an author. Each block says what it returns; what stands in braces is filled in, as a literal
-- unless it is SQL itself.

-- name: blockers
-- The sessions that block a backend of pgvouch's, and the lock it wants. Read over another connection. The backend is
-- known by its pid or, before the transaction has begun, by the comment at the head of its message: behind a pooler the client
-- knows no backend beforehand.
-- pg_blocking_pids() names prepared transactions as 0.
with ours as (
  select a.pid
  from pg_catalog.pg_stat_activity as a
  where a.datname = pg_catalog.current_database()
    and a.pid <> pg_catalog.pg_backend_pid()
    and {own}
)
select
  blocker.pid,
  a.usename,
  a.application_name,
  pg_catalog.host(a.client_addr),
  a.state,
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - coalesce(a.xact_start, p.prepared)),
  case when blocker.pid = 0 then 'PREPARE TRANSACTION ' || p.gid else a.query end,
  wanted.mode,
  wanted.relation::pg_catalog.regclass::text
from ours
  cross join lateral pg_catalog.unnest(pg_catalog.pg_blocking_pids(ours.pid)) as blocker (pid)
  left join pg_catalog.pg_stat_activity as a on a.pid = blocker.pid
  left join lateral (
    select w.mode, w.relation from pg_catalog.pg_locks as w where w.pid = ours.pid and not w.granted limit 1
  ) as wanted on true
  left join lateral (
    select x.gid, x.prepared from pg_catalog.pg_prepared_xacts as x
    where blocker.pid = 0 and x.database = pg_catalog.current_database()
    order by x.prepared limit 1
  ) as p on true
order by 6 desc nulls last

-- name: progress
-- What a backend of pgvouch's does, where PostgreSQL reports that: in words, and how much of this phase is done, in percent,
-- where it is counted. The backend is known as in `blockers`; it does one such thing at a time. A table that its
-- transaction has created is not seen from here, and so not named. No row where nothing is reported.
select
  p.what
    || coalesce(' on ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), '')
    || coalesce(': ' || p.phase, ''),
  case when p.done <= p.total then 100 * p.done::float8 / nullif(p.total, 0) end
from (
    select
      i.pid,
      i.relid,
      i.command as what,
      i.phase,
      case
        when i.phase like 'waiting %' then i.lockers_done
        when i.phase like '%loading tuples%' then i.tuples_done
        when i.phase like '%scanning%' then i.blocks_done
      end as done,
      case
        when i.phase like 'waiting %' then i.lockers_total
        when i.phase like '%loading tuples%' then i.tuples_total
        else i.blocks_total
      end as total
    from pg_stat_progress_create_index as i
    union all
    select
      v.pid,
      v.relid,
      'VACUUM',
      v.phase,
      case v.phase when 'scanning heap' then v.heap_blks_scanned when 'vacuuming heap' then v.heap_blks_vacuumed end,
      v.heap_blks_total
    from pg_stat_progress_vacuum as v
    union all
    select
      r.pid, r.relid, r.command, r.phase, case r.phase when 'seq scanning heap' then r.heap_blks_scanned end, r.heap_blks_total
    from pg_stat_progress_cluster as r
    union all
    select
      z.pid, z.relid, 'ANALYZE', z.phase, case when z.phase like 'acquiring %' then z.sample_blks_scanned end, z.sample_blks_total
    from pg_stat_progress_analyze as z
    union all
    select o.pid, o.relid, o.command, null, o.bytes_processed, o.bytes_total
    from pg_stat_progress_copy as o
  ) as p
  join pg_stat_activity as a on a.pid = p.pid
  left join pg_class as c on c.oid = p.relid
  left join pg_namespace as n on n.oid = c.relnamespace
where a.datname = current_database() and a.pid <> pg_backend_pid() and {own}

-- name: refuse_read_only
-- Fails, with a cast of the word that says why, where an administrator has switched writing off, which our `read write`
-- would override. It runs before the search_path is ours.
select (
  case
    when pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool then 'pgvouch: read_only'
    else '0'
  end
)::pg_catalog.int4

-- name: default_lock_timeout
-- An expression: a share of the server's deadlock_timeout. The author's search_path may be in force: every name with its
-- schema.
greatest(
  1::pg_catalog.float8,
  {share_ms}::pg_catalog.float8 operator(pg_catalog.*) pg_catalog.date_part(
    'epoch'::pg_catalog.text, pg_catalog.current_setting('deadlock_timeout')::pg_catalog.interval
  )
)::pg_catalog.int8::pg_catalog.text

-- name: take_locks
-- Takes locks, all of them within one lock_timeout; the body of a DO block. {locks} is an array of statements.
--
-- It waits long only while it holds nothing. Where one of the others is not to be had soon, it lets go of all and
-- begins with that one: what an application holds while it wants another of them is free a moment later, so nobody's
-- deadlock is waited out.
  declare
    locks constant text[] := {locks};
    asked constant text := current_setting('lock_timeout');
    begun constant timestamptz := clock_timestamp();
    asked_ms constant float8 := extract(epoch from asked::interval) * 1000;
    remaining_ms float8 := asked_ms;
    first int := 1;
    other int;
  begin
    loop
      begin
        other := first;
        perform set_config('lock_timeout', ceil(remaining_ms)::bigint::text, true);
        execute locks[first];
        for other_number in 1 .. cardinality(locks) loop
          if other_number <> first then
            other := other_number;
            remaining_ms := asked_ms - extract(epoch from clock_timestamp() - begun) * 1000;
            perform set_config(
              'lock_timeout',
              greatest(1, case when asked_ms = 0 then {soon_ms} else least(asked_ms / 10, remaining_ms) end)::bigint::text,
              true
            );
            execute locks[other];
          end if;
        end loop;
        exit;
      exception when lock_not_available or deadlock_detected then
        remaining_ms := greatest(0, asked_ms - extract(epoch from clock_timestamp() - begun) * 1000);
        if other = first or remaining_ms < 1 and asked_ms > 0 then
          raise;
        end if;
        first := other;
      end;
    end loop;
    perform set_config('lock_timeout', asked, true);
  end;
