"""Who works on a non-transactional migration, and how far it is: a row of the ledger with a token.

There is no transaction in which the lock could be held, so the row is the lease. Its token is in
every message of the one that works; another runner that finds it alive waits, and takes over
otherwise.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from pgvouch.files.migration import checksum
from pgvouch.ledger.rows import State
from pgvouch.postgres.blockers import Blocker
from pgvouch.postgres.message import literal, own_block
from pgvouch.postgres.session import OWN_PATH, Session
from pgvouch.sqltext.own import own_sql

GRACE_S = 3
"""How long a runner may be silent between two messages before it is taken for dead."""

TAKEN_OVER = "PGV04"


@dataclass(frozen=True, slots=True)
class Stopped:
    """What the ledger keeps of a statement outside of a transaction."""

    running: str | None = None
    """The statement that was begun; no answer to it was seen."""
    before: str | None = None
    """What the catalog said of it when it was announced."""
    refused: str | None = None
    """The statement that PostgreSQL has refused, and that left something half done."""


BETWEEN = Stopped()
"""There is none: the last one has ended, the next one has not begun."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What the ledger says of a migration that is under way."""

    state: State
    done: int
    """How many statements are done."""
    progress: str
    """The checksum of the statements that are done."""
    stopped: Stopped
    token: str | None
    pid: int | None
    is_recent: bool
    """Whether the row was written within the grace period."""


def new_token() -> str:
    """Return a token for one run."""
    return secrets.token_hex(8)


NOTHING_DONE = checksum("")
"""The progress of a migration none of whose statements is done."""


def next_progress(progress: str, statement: str) -> str:
    """Return the progress when one more statement is done; what is done is not read again."""
    return checksum(f"{progress};\n{statement}")


def progress_of(steps: Iterable[str]) -> str:
    """Return the progress when these statements are done."""
    return reduce(next_progress, steps, NOTHING_DONE)


def read(session: Session, identifier: str) -> Lease | None:
    """Return the lease on a migration, or None where it is not under way."""
    (result,) = session.ask(
        "select state, coalesce(statements_done, 0), progress, running, running_before, refused, "
        "token, pid, "
        f"touched_at > pg_catalog.clock_timestamp() - interval '{GRACE_S} s' "
        f"from pgvouch.migration where migration_id = {literal(identifier)} "
        "and state in ('incomplete', 'undoing')"
    )
    if not result.rows:
        return None
    state, done, progress, running, before, refused, token, pid, is_recent = result.rows[0]
    return Lease(
        State(state),
        int(done or 0),
        progress or NOTHING_DONE,
        Stopped(running, before, refused),
        token,
        int(pid) if pid else None,
        is_recent == "t",
    )


def look(session: Session, identifier: str) -> tuple[State, int, str | None] | None:
    """Return state, statements done and token as they are now; None where there is no row."""
    (result,) = session.ask(
        "select state, coalesce(statements_done, 0), token from pgvouch.migration "
        f"where migration_id = {literal(identifier)}"
    )
    if not result.rows:
        return None
    state, done, token = result.rows[0]
    return State(state), int(done or 0), token


def worker(session: Session, lease: Lease) -> Blocker | None:
    """Return the backend that works on a lease, if one does."""
    if lease.token is None:
        return None
    query = own_sql("ledger/runner_alive").replace("{token}", literal(lease.token))
    query = query.replace("{pid}", str(lease.pid or 0)).replace("{grace}", f"{GRACE_S} s")
    (result,) = session.ask(query)
    return Blocker.of(result.rows[0]) if result.rows else None


def take_sql(identifier: str, token: str, state: State) -> str:
    """Return the statements that take (or take over) a lease; the caller holds the lock.

    How far it is, and what it stopped in, stays as it is.
    """
    name = literal(identifier)
    return f"""{OWN_PATH};
      insert into pgvouch.migration (migration_id, state, transactional)
      values ({name}, {literal(state.value)}, false) on conflict (migration_id) do nothing;
      update pgvouch.migration
      set state = {literal(state.value)}, transactional = false, token = {literal(token)},
        pid = pg_catalog.pg_backend_pid(), statements_done = coalesce(statements_done, 0),
        progress = coalesce(progress, {literal(NOTHING_DONE)}),
        touched_at = pg_catalog.clock_timestamp()
      where migration_id = {name}"""


_TAKEN_OVER_SQL = (
    f"raise exception using errcode = '{TAKEN_OVER}', message = 'another runner has taken over';"
)


def owned_sql(identifier: str, token: str) -> str:
    """Return the statement that fails where another runner has taken over."""
    return own_block(f"""
  if not exists (
    select from pgvouch.migration
    where migration_id = {literal(identifier)} and token = {literal(token)}
  ) then
    {_TAKEN_OVER_SQL}
  end if;""")


def step_sql(identifier: str, token: str, *, done: int, progress: str, stopped: Stopped) -> str:
    """Return the statement that records a step, and fails where another runner has taken over."""
    return own_block(f"""
  update pgvouch.migration
  set statements_done = {done}, progress = {literal(progress)}, {_stopped_sql(stopped)},
    pid = pg_catalog.pg_backend_pid(), touched_at = pg_catalog.clock_timestamp()
  where migration_id = {literal(identifier)} and token = {literal(token)};
  if not found then
    {_TAKEN_OVER_SQL}
  end if;""")


def _stopped_sql(stopped: Stopped) -> str:
    return (
        f"running = {literal(stopped.running)}, running_before = {literal(stopped.before)}, "
        f"refused = {literal(stopped.refused)}"
    )


def release_sql(identifier: str, token: str) -> str:
    """Return the statements that give a lease up, so that nobody has to wait for us.

    A migration of which nothing has been taken back is applied again.
    """
    return f"""{OWN_PATH};
      update pgvouch.migration set token = null, touched_at = null
      where migration_id = {literal(identifier)} and token = {literal(token)};
      {_keep_sql(identifier)}"""


def _keep_sql(identifier: str) -> str:
    return f"""update pgvouch.migration as m
      set state = 'applied', statements_done = null, progress = null
      where m.migration_id = {literal(identifier)} and m.state = 'undoing' and m.token is null
        and m.statements_done = 0 and m.running is null and m.refused is null
        and exists (
          select from pgvouch._yoyo_migration as y where y.migration_id = m.migration_id
        )"""


def write(session: Session, identifier: str, lease: Lease) -> None:
    """Write a lease as a person has settled it; nobody works on it."""
    session.ask(
        f"update pgvouch.migration set state = {literal(lease.state.value)}, "
        f"statements_done = {lease.done}, progress = {literal(lease.progress)}, "
        f"{_stopped_sql(lease.stopped)}, token = null, touched_at = null "
        f"where migration_id = {literal(identifier)}"
    )
