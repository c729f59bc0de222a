-- The ledger beside yoyo's own tables, in the schema pgvouch. It is run once per database, in one
-- transaction. Only its owner may read it: in Supabase, and wherever default privileges
-- were set, new tables are open to the API roles.

-- The key is for databases with a publication for all tables: without one its row could not be updated there.
create table pgvouch.ledger (
  version integer primary key,
  created_at timestamptz not null default pg_catalog.clock_timestamp()
);
comment on table pgvouch.ledger is 'One row: the version of this ledger. A newer one than the program knows is refused. Runners lock the row, and write it as it is, to keep each other out.';
insert into pgvouch.ledger (version) values (1);

create table pgvouch.migration (
  migration_id text primary key,
  state text not null check (state in ('applied', 'provided', 'incomplete', 'undoing')),
  checksum text,
  rollback_sql text,
  irreversible text,
  transactional boolean not null default true,
  statements_done integer,
  progress text,
  running text,
  running_before text,
  refused text,
  token text,
  pid integer,
  touched_at timestamptz,
  applied_order bigint generated always as identity,
  applied_at timestamptz not null default pg_catalog.clock_timestamp(),
  duration_ms double precision,
  checks_passed integer,
  delta text,
  applied_by text not null default session_user,
  tool_version text
);
comment on table pgvouch.migration is 'One row per migration in the database; yoyo''s _yoyo_migration holds the same set, without the rows in state incomplete.';
comment on column pgvouch.migration.state is 'applied; provided: its `unless` held and nothing was run; incomplete: a non-transactional one that is on its way; undoing: one that is being rolled back.';
comment on column pgvouch.migration.checksum is 'SHA-256 of the file, CRLF as LF and without BOM; null for what stock yoyo applied.';
comment on column pgvouch.migration.rollback_sql is 'The rollback as it was when applied, so that a release without the file can still roll back.';
comment on column pgvouch.migration.irreversible is 'Why it cannot be rolled back.';
comment on column pgvouch.migration.transactional is 'Whether it ran in one transaction.';
comment on column pgvouch.migration.statements_done is 'For a non-transactional migration on its way: how many of its statements are done.';
comment on column pgvouch.migration.progress is 'SHA-256 over the statements that are done: each with that of those before it.';
comment on column pgvouch.migration.running is 'The statement that was begun outside of a transaction: no answer to it was seen.';
comment on column pgvouch.migration.running_before is 'What the catalog said ahead of that statement: the oids of the index, or of parent and partition, that it is about.';
comment on column pgvouch.migration.refused is 'The statement outside of a transaction that PostgreSQL refused and that left something half done: the next run clears it away.';
comment on column pgvouch.migration.token is 'In every message of the runner that works on it, so that others find it in pg_stat_activity.';
comment on column pgvouch.migration.pid is 'The backend that last worked on it.';
comment on column pgvouch.migration.touched_at is 'When it last did.';
comment on column pgvouch.migration.applied_order is 'The order of application; rollback goes backwards through it.';
comment on column pgvouch.migration.checks_passed is 'How many promises were verified before it was committed.';
comment on column pgvouch.migration.delta is 'What it did to the catalog, where a .delta file asked for the comparison.';
comment on column pgvouch.migration.tool_version is 'The version of pgvouch that applied it.';

create table pgvouch.acceptance (
  accepted_at timestamptz not null default pg_catalog.clock_timestamp(),
  migration_id text not null,
  recorded text,
  accepted text not null,
  why text not null,
  accepted_by text not null default session_user
);
comment on table pgvouch.acceptance is 'Changes to applied files that someone called harmless, and why.';

do $$
declare
  entry record;
begin
  -- Where nobody was granted anything, which is quicker found, there is nothing to look for.
  if not exists (
    select from pg_catalog.pg_class as c
    where c.relnamespace = 'pgvouch'::regnamespace and c.relacl is not null
  ) and not exists (
    select from pg_catalog.pg_namespace as n
    where n.nspname = 'pgvouch' and n.nspacl is not null
  ) then
    return;
  end if;
  for entry in
    select 'table ' || c.oid::regclass as object, acl.grantee
    from pg_catalog.pg_class as c
      cross join lateral pg_catalog.aclexplode(c.relacl) as acl
    where c.relnamespace = 'pgvouch'::regnamespace
      and c.relkind in ('r', 'S')
      and acl.grantee <> c.relowner
    union
    select 'schema pgvouch', acl.grantee
    from pg_catalog.pg_namespace as n
      cross join lateral pg_catalog.aclexplode(n.nspacl) as acl
    where n.nspname = 'pgvouch'
      and acl.grantee <> n.nspowner
  loop
    execute pg_catalog.format(
      'revoke all on %s from %s',
      entry.object,
      case when entry.grantee = 0 then 'public' else entry.grantee::regrole::text end
    );
  end loop;
end
$$;
