-- The runs of repeatable migrations, beside the ledger. It is made when the first one is run. A rollback brings back the
-- text that was in force before, so every text is kept until what it came with is rolled back.

create table if not exists pgvouch.repeatable (
  run_order bigint generated always as identity primary key,
  repeatable_id text not null,
  checksum text not null,
  sql text not null,
  rollback_sql text,
  after_id text,
  applied_at timestamptz not null default pg_catalog.clock_timestamp(),
  duration_ms double precision,
  checks_passed integer,
  delta text,
  applied_by text not null default session_user,
  tool_version text
);
revoke all on pgvouch.repeatable from public;
comment on table pgvouch.repeatable is 'One row per run of a repeatable migration; the last one of each is in force.';
comment on column pgvouch.repeatable.sql is 'The text that was run, so that a rollback can run it again.';
comment on column pgvouch.repeatable.rollback_sql is 'What takes it away, where there is no earlier text.';
comment on column pgvouch.repeatable.after_id is 'The newest migration at that time: when that is rolled back, the text before comes back.'
