-- name: restart_sequences
-- Gives every sequence that this transaction has made another file, so that what checks draw from it is taken back with
-- their savepoint. It is made by us if we hold the strongest lock on it: one that others can use is left alone, for
-- ALTER SEQUENCE would keep them waiting. The body of a DO block.
  declare
    made record;
    at record;
  begin
    for made in
      select format('%I.%I', n.nspname, c.relname) as name, s.seqincrement as step, s.seqmin as least, s.seqmax as most
      from pg_locks as l
        join pg_class as c on c.oid = l.relation
        join pg_namespace as n on n.oid = c.relnamespace
        join pg_sequence as s on s.seqrelid = c.oid
      where l.pid = pg_backend_pid()
        and l.locktype = 'relation'
        and l.mode = 'AccessExclusiveLock'
        and l.granted
    loop
      execute 'select last_value + case when is_called then ' || made.step || ' else 0 end as value from ' || made.name
      into at;
      if at.value between made.least and made.most then
        execute 'alter sequence ' || made.name || ' restart with ' || at.value;
      end if;
    end loop;
  exception when insufficient_privilege or numeric_value_out_of_range then
    null; -- given away, or used up: its numbers are gone, as after any rolled-back insert
  end;

-- name: exempt_from_row_security
-- Gives those of some roles to which row security does not apply, and why. A role that is a member of a table's owner, and has
-- its rights, is the owner in this: for each such table PostgreSQL asks has_privs_of_role. What a role may become does not
-- count, for it has to do so first.
select
  r.rolname,
  case
    when r.rolsuper then 'is a superuser'
    when r.rolbypassrls then 'has BYPASSRLS'
    else 'has the rights of the owner of ' || pg_catalog.format('%I.%I', n.nspname, c.relname)
  end
from pg_catalog.pg_roles as r
left join lateral (
  select c.relname, c.relnamespace
  from pg_catalog.pg_class as c
  where c.relrowsecurity
    and not c.relforcerowsecurity
    and c.relpersistence <> 't'
    and pg_catalog.pg_has_role(r.oid, c.relowner, 'usage')
  order by c.oid
  limit 1
) as c on true
left join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where r.rolname in ({roles})
  and (r.rolsuper or r.rolbypassrls or c.relname is not null)
