"""Waits for a server, and for another runner to apply these files. It writes nothing."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from pgvouch.config.project import Database
from pgvouch.engine.commands import pending, read_ledger
from pgvouch.errors import (
    ConnectError,
    NoDatabaseError,
    NotReadyError,
    PlanError,
    TooManyConnectionsError,
)
from pgvouch.events import Listener, Waiting
from pgvouch.ledger.repeatable import read_runs
from pgvouch.plan.repeat import due
from pgvouch.postgres.retry import FailedAttempt, RetryLimits, retry
from pgvouch.postgres.session import ConnectionLost, Session

_LOOK_S = 5.0
"""How long a look at the ledger may take when the time to wait is over, or there was none."""
_NO_RIGHT = "42501"

Connect = Callable[[float], AbstractContextManager[Session]]
"""Opens a session on the database; it is told how long the server may take to come up, in s."""


def wait_for_schema(
    connect: Connect, database: Database, budget_s: float, listener: Listener
) -> None:
    """Wait until another runner has made the database, lets us look, and has applied these files.

    Raises:
        ConnectError: the time has run out.
        DriftError: an applied file has changed or is gone: waiting would not help.
        PlanError: the time has run out, and this role may not read the ledger.
    """
    until_s = time.monotonic() + budget_s

    def left_s() -> float:
        return max(until_s - time.monotonic(), 0.0)

    def look() -> None:
        with connect(left_s()) as session:
            try:
                _wait_for_rows(session, database, left_s(), listener)
            except PlanError as exc:
                if not _is_refused(exc):
                    raise
                raise _may_not_read(
                    session, exc, has_repeatables=bool(database.repeatables)
                ) from None

    def tell(refusal: FailedAttempt) -> None:
        listener(Waiting(str(refusal.error), refusal.remaining_s))

    # The migration that grants this role the right may still be on its way.
    retry(
        look,
        RetryLimits(left_s(), first_s=0.2, longest_s=2.0),
        again=lambda exc: isinstance(exc, NoDatabaseError) or _is_refused(exc),
        tell=tell,
    )


def _wait_for_rows(
    session: Session, database: Database, budget_s: float, listener: Listener
) -> None:
    def look() -> None:
        session.revive()
        todo = pending(database, read_ledger(session, of_anyone=True), to=None, out_of_order=True)
        repeated = due(database.repeatables, read_runs(session)) if database.repeatables else []
        if missing := [*todo.pending, *repeated]:
            raise _PendingError(missing[0].id)

    def tell(refusal: FailedAttempt) -> None:
        listener(Waiting(f"{refusal.error} is not applied yet", refusal.remaining_s))

    again = (_PendingError, NotReadyError, TooManyConnectionsError, ConnectionLost)
    try:
        with session.limited(budget_s + _LOOK_S):
            retry(
                look,
                RetryLimits(budget_s, first_s=0.2, longest_s=2.0),
                again=lambda exc: isinstance(exc, again),
                tell=tell,
            )
    except _PendingError as exc:
        raise ConnectError(
            f"{exc} was not applied within the time to wait",
            hint="is anybody migrating? pgvouch status; --wait 5min waits longer",
        ) from None


class _PendingError(Exception):
    """A migration of these files is not applied yet."""


def _is_refused(exc: BaseException) -> bool:
    server = exc.server if isinstance(exc, PlanError) else None
    return server is not None and server.sqlstate == _NO_RIGHT


def _may_not_read(session: Session, exc: PlanError, *, has_repeatables: bool) -> PlanError:
    from psycopg.sql import Identifier

    role = session.connection.info.user
    name = Identifier(role).as_string(None)
    # It is made ahead of the first of them, when the migrations are applied.
    runs = f"in a file of repeat/: grant select on pgvouch.repeatable to {name}; "
    runs = runs if has_repeatables else ""
    return PlanError(
        f"the role {role} may not read the ledger, so it cannot see what is applied",
        server=exc.server,
        state="Nothing was run.",
        hint="grant it in a migration, as the owner: "
        f"grant usage on schema pgvouch to {name}; "
        f"grant select on pgvouch.ledger, pgvouch.migration, pgvouch._yoyo_migration to {name}; "
        f"{runs}"
        "an application's own role needs nothing there: wait as another one",
    )
