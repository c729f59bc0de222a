"""Which runner works on a non-transactional migration, and how far it is: a row with a token.

There is no transaction in which the lock could be held, so the row is the lease. Its token is in
every message of the runner at work; another runner waits while that one is alive, and takes over
otherwise.
"""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import reduce

from pgvouch.files.migration import checksum
from pgvouch.ledger.rows import State
from pgvouch.postgres.blockers import Blocker
from pgvouch.postgres.session import OWN_PATH, Session
from pgvouch.sqltext.own import own_block, own_query

GRACE_S = 3
"""How long a runner may be silent between two messages before it is taken for dead."""

_GRACE = f"{GRACE_S} s"

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


def read(session: Session, identifier: str, *, of_any_state: bool = False) -> Lease | None:
    """Return the lease on a migration, or None where it is not under way.

    Args:
        session: where the ledger is.
        identifier: the migration.
        of_any_state: also return the row of a migration that is applied.
    """
    query = own_query("ledger", "lease", id=identifier, any_state=of_any_state, grace=_GRACE)
    (result,) = session.ask(query)
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


def worker(session: Session, lease: Lease) -> Blocker | None:
    """Return the backend that works on a lease, if one does."""
    if lease.token is None:
        return None
    (result,) = session.ask(
        own_query("ledger", "runner_alive", token=lease.token, pid=lease.pid or 0, grace=_GRACE)
    )
    return Blocker.of(result.rows[0]) if result.rows else None


def take_sql(identifier: str, token: str, state: State) -> str:
    """Return the statements that take (or take over) a lease; the caller holds the lock.

    How far it is, and what it stopped in, stays as it is.
    """
    taken = own_query(
        "ledger",
        "take_lease",
        id=identifier,
        token=token,
        state=state.value,
        nothing_done=NOTHING_DONE,
    )
    return f"{OWN_PATH};\n{taken}"


def owned_sql(identifier: str, token: str) -> str:
    """Return the statement that fails where another runner has taken over."""
    return own_block("ledger", "keep_lease", id=identifier, token=token, taken_over=TAKEN_OVER)


def step_sql(identifier: str, token: str, *, done: int, progress: str, stopped: Stopped) -> str:
    """Return the statement that records a step, and fails where another runner has taken over."""
    return own_block(
        "ledger",
        "record_step",
        id=identifier,
        token=token,
        done=done,
        progress=progress,
        taken_over=TAKEN_OVER,
        **asdict(stopped),
    )


def release_sql(identifier: str, token: str) -> str:
    """Return the statements that give a lease up, so that others need not wait for us.

    A migration of which nothing was rolled back is applied again.
    """
    return f"{OWN_PATH};\n{own_query('ledger', 'release_lease', id=identifier, token=token)}"


def write(session: Session, identifier: str, lease: Lease) -> None:
    """Write a lease as a person has settled it; no runner works on it."""
    session.ask(
        own_query(
            "ledger",
            "write_lease",
            id=identifier,
            state=lease.state.value,
            done=lease.done,
            progress=lease.progress,
            **asdict(lease.stopped),
        )
    )
