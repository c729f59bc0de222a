-- The rollouts of fleets, in the control database. Like the ledger it has a schema of its own without grants: what a rollout
-- has applied is what its rollback takes back.
create schema pgvouch_fleet;
revoke all on schema pgvouch_fleet from public;
comment on schema pgvouch_fleet is 'What pgvouch has done to fleets of databases.';

create table pgvouch_fleet.rollout (
  id bigint generated always as identity primary key,
  fleet text not null,
  action text not null,
  wanted text,
  began_at timestamptz not null default clock_timestamp(),
  began_by text not null default session_user,
  ended_at timestamptz,
  outcome text
);
comment on table pgvouch_fleet.rollout is 'Something that was done to a fleet.';
comment on column pgvouch_fleet.rollout.id is 'Its number, as --rollout takes it.';
comment on column pgvouch_fleet.rollout.fleet is 'The fleet of the configuration.';
comment on column pgvouch_fleet.rollout.action is 'migrate or rollback.';
comment on column pgvouch_fleet.rollout.wanted is 'The last migration that was wanted; of a rollback the rollout.';
comment on column pgvouch_fleet.rollout.began_at is 'When it began.';
comment on column pgvouch_fleet.rollout.began_by is 'The role that has begun it.';
comment on column pgvouch_fleet.rollout.ended_at is 'When it ended; null where it runs, or was killed.';
comment on column pgvouch_fleet.rollout.outcome is 'done, stopped in a wave, or interrupted.';

create table pgvouch_fleet.result (
  rollout bigint not null,
  target text not null,
  wave text not null,
  state text not null,
  version text,
  finished text not null,
  cause text,
  seconds double precision not null,
  at timestamptz not null default clock_timestamp(),
  primary key (rollout, target)
);
comment on table pgvouch_fleet.result is 'What became of a database in a rollout.';
comment on column pgvouch_fleet.result.rollout is 'The rollout.';
comment on column pgvouch_fleet.result.target is 'The database, by its name in the fleet.';
comment on column pgvouch_fleet.result.wave is 'The wave that it was in.';
comment on column pgvouch_fleet.result.state is 'What became of it.';
comment on column pgvouch_fleet.result.version is 'The newest migration that was applied afterwards.';
comment on column pgvouch_fleet.result.finished is 'What was applied or rolled back: a JSON list of identifiers.';
comment on column pgvouch_fleet.result.cause is 'Why it failed.';
comment on column pgvouch_fleet.result.seconds is 'How long it took.';
comment on column pgvouch_fleet.result.at is 'When it was written down.'
