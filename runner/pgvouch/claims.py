"""Who works on a non-transactional migration, and how far it is: a row of the ledger with a token.

There is no transaction to hold the advisory lock in, so the row is the claim. Its token is in every
message of the one that works; another runner that finds it alive waits, and takes over otherwise.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from pgvouch import sql
from pgvouch.blockers import Blocker
from pgvouch.db import Session
from pgvouch.message import literal
from pgvouch.migration import checksum
from pgvouch.plan import State

GRACE_S = 3
"""How long a runner may be silent between two messages before it is taken for dead."""

TAKEN_OVER = "PGV04"


@dataclass(frozen=True, slots=True)
class Claim:
    """What the ledger says of a migration that is under way."""

    state: State
    done: int
    """How many statements are done."""
    progress: str | None
    """The checksum of the statements that are done."""
    running: str | None
    """The statement that was begun outside of a transaction; nobody knows how it ended."""
    token: str | None
    pid: int | None
    is_recent: bool
    """Whether the row was written within the grace period."""


def new_token() -> str:
    """Return a token for one run."""
    return secrets.token_hex(8)


def progress_of(steps: Sequence[str]) -> str:
    """Return the checksum of statements that are done."""
    return checksum(";\n".join(steps))


def read(session: Session, identifier: str) -> Claim | None:
    """Return the claim on a migration, or None where it is not under way."""
    (result,) = session.run(
        "select state, coalesce(statements_done, 0), progress, running, token, pid, "
        f"touched_at > pg_catalog.clock_timestamp() - interval '{GRACE_S} s' "
        f"from pgvouch.migration where migration_id = {literal(identifier)} "
        "and state in ('incomplete', 'undoing')"
    )
    if not result.rows:
        return None
    state, done, progress, running, token, pid, is_recent = result.rows[0]
    return Claim(
        State(state),
        int(done or 0),
        progress,
        running,
        token,
        int(pid) if pid else None,
        is_recent == "t",
    )


def worker(session: Session, claim: Claim) -> Blocker | None:
    """Return the backend that works on a claim, if one does."""
    if claim.token is None:
        return None
    query = sql.load("runner_alive").replace("{token}", literal(claim.token))
    query = query.replace("{pid}", str(claim.pid or 0)).replace("{grace}", f"{GRACE_S} s")
    (result,) = session.run(query)
    return Blocker.of(result.rows[0]) if result.rows else None


def take_sql(
    identifier: str, token: str, state: State, *, done: int, progress: str, running: str | None
) -> str:
    """Return the statements that take (or take over) a claim; the caller holds the lock."""
    name = literal(identifier)
    return f"""
      insert into pgvouch.migration (migration_id, state, transactional)
      values ({name}, {literal(state.value)}, false) on conflict (migration_id) do nothing;
      update pgvouch.migration
      set state = {literal(state.value)}, transactional = false, token = {literal(token)},
        pid = pg_catalog.pg_backend_pid(), statements_done = {done}, progress = {literal(progress)},
        running = {literal(running)}, touched_at = pg_catalog.clock_timestamp()
      where migration_id = {name}"""


def owned_sql(identifier: str, token: str) -> str:
    """Return the statement that fails where another runner has taken over."""
    return f"""do $pgvouch$
begin
  if not exists (
    select from pgvouch.migration
    where migration_id = {literal(identifier)} and token = {literal(token)}
  ) then
    raise exception using errcode = '{TAKEN_OVER}', message = 'another runner has taken over';
  end if;
end
$pgvouch$"""


def step_sql(identifier: str, token: str, *, done: int, progress: str, running: str | None) -> str:
    """Return the statement that records a step, and fails where another runner has taken over."""
    return f"""do $pgvouch$
begin
  update pgvouch.migration
  set statements_done = {done}, progress = {literal(progress)}, running = {literal(running)},
    pid = pg_catalog.pg_backend_pid(), touched_at = pg_catalog.clock_timestamp()
  where migration_id = {literal(identifier)} and token = {literal(token)};
  if not found then
    raise exception using errcode = '{TAKEN_OVER}', message = 'another runner has taken over';
  end if;
end
$pgvouch$"""


def release_sql(identifier: str, token: str) -> str:
    """Return the statement that gives a claim up, so that nobody has to wait for us."""
    return (
        "update pgvouch.migration set token = null, touched_at = null "
        f"where migration_id = {literal(identifier)} and token = {literal(token)}"
    )
