-- The rollouts of fleets, in the control database. Like the ledger it has a schema of its own without grants: what a rollout
-- has applied is what its rollback takes back.
create schema pgvouch_fleet;
comment on schema pgvouch_fleet is 'What pgvouch has done to fleets of databases.';

create table pgvouch_fleet.rollout (
  id bigint generated always as identity primary key,
  key uuid not null default pg_catalog.gen_random_uuid(),
  fleet text not null,
  action text not null,
  wanted text,
  began_at timestamptz not null default pg_catalog.clock_timestamp(),
  began_by text not null default session_user,
  ended_at timestamptz,
  outcome text,
  pid integer,
  pid_since timestamptz,
  queue text,
  settings jsonb,
  waves jsonb,
  wave integer,
  paused boolean not null default false
);
comment on table pgvouch_fleet.rollout is 'Something that was done to a fleet.';
comment on column pgvouch_fleet.rollout.id is 'Its number, as --rollout takes it.';
comment on column pgvouch_fleet.rollout.key is 'With the number, in the log of each database''s ledger: there it says what this rollout has applied.';
comment on column pgvouch_fleet.rollout.fleet is 'The fleet of the configuration.';
comment on column pgvouch_fleet.rollout.action is 'migrate or rollback.';
comment on column pgvouch_fleet.rollout.wanted is 'The last migration that was wanted; of a rollback the rollout.';
comment on column pgvouch_fleet.rollout.began_at is 'When it began.';
comment on column pgvouch_fleet.rollout.began_by is 'The role that has begun it.';
comment on column pgvouch_fleet.rollout.ended_at is 'When it ended; null where it runs, or was killed.';
comment on column pgvouch_fleet.rollout.outcome is 'done, stopped in a wave, cancelled, or interrupted.';
comment on column pgvouch_fleet.rollout.pid is 'The session that the program holds here for as long as it is at it; null on a queue, and behind a pooler.';
comment on column pgvouch_fleet.rollout.pid_since is 'Tells that session from a later one of the same number.';
comment on column pgvouch_fleet.rollout.queue is 'The queue of its jobs: of these files, and this list of databases. Null where one program does it all.';
comment on column pgvouch_fleet.rollout.settings is 'What was said when it was enqueued, and every worker has to keep to.';
comment on column pgvouch_fleet.rollout.waves is 'Its waves, in order: the name of each, and how many databases may fail.';
comment on column pgvouch_fleet.rollout.wave is 'Which of them is under way, from 0.';
comment on column pgvouch_fleet.rollout.paused is 'Whether nothing new is begun.';

-- Two of a fleet at once would take each other's databases.
create unique index rollout_under_way on pgvouch_fleet.rollout (fleet) where queue is not null and ended_at is null;

create table pgvouch_fleet.result (
  rollout bigint not null,
  target text not null,
  server text,
  job bigint,
  wave integer not null,
  state text not null,
  version text,
  finished text not null,
  cause text,
  seconds double precision not null,
  at timestamptz not null default pg_catalog.clock_timestamp(),
  primary key (rollout, target)
);
comment on table pgvouch_fleet.result is 'What became of a database in a rollout.';
comment on column pgvouch_fleet.result.rollout is 'The rollout.';
comment on column pgvouch_fleet.result.target is 'The database, by its name in the fleet.';
comment on column pgvouch_fleet.result.server is 'Host and port, where it is on the queue.';
comment on column pgvouch_fleet.result.job is 'The job of the queue that is at it.';
comment on column pgvouch_fleet.result.wave is 'The wave that it was in, from 0.';
comment on column pgvouch_fleet.result.state is 'What became of it.';
comment on column pgvouch_fleet.result.version is 'The newest migration that was applied afterwards.';
comment on column pgvouch_fleet.result.finished is 'What was applied or rolled back: a JSON list of identifiers.';
comment on column pgvouch_fleet.result.cause is 'Why it failed.';
comment on column pgvouch_fleet.result.seconds is 'How long it took.';
comment on column pgvouch_fleet.result.at is 'When it was written down.';

-- What the queue looks for again and again, among the rows of many rollouts.
create index result_of_wave on pgvouch_fleet.result (rollout, wave, state, server);

create table pgvouch_fleet.queue_migration (
  name text primary key,
  applied_at timestamptz not null default pg_catalog.clock_timestamp(),
  tool_version text not null
);
comment on table pgvouch_fleet.queue_migration is 'Which of procrastinate''s own SQL files are applied in the schema pgvouch_queue.';
comment on column pgvouch_fleet.queue_migration.name is 'Of the file.';
comment on column pgvouch_fleet.queue_migration.applied_at is 'When it was applied.';
comment on column pgvouch_fleet.queue_migration.tool_version is 'The version of procrastinate that it came with.'
