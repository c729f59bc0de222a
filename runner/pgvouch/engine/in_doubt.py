"""After a failure, a lost connection or a signal: what is in the database now, as the ledger says.

A connection that ends after COMMIT was sent and before the answer came leaves the client without
knowing. The ledger's row is part of the transaction, so whether it is there is the answer.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pgvouch.errors import ConnectError, Interrupted, MigrationError, VouchError
from pgvouch.postgres.advice import tell_of_value_together, way_on, way_on_together
from pgvouch.postgres.message import literal
from pgvouch.postgres.refused import knows_no_transactions
from pgvouch.postgres.retry import Patience, patiently
from pgvouch.postgres.session import ConnectionLost, QueryError, Session, TooMuchError

if TYPE_CHECKING:
    from pgvouch.engine.run import Engine

_PATIENCE_S = 10.0
_SIGNAL_S = 3.0
"""Who has sent a signal waits for the end."""
_NO_LEDGER = {"3F000", "42P01"}


class _NotKnownYetError(Exception):
    """The old backend is still ending its transaction."""


_AGAIN = (ConnectError, ConnectionLost, _NotKnownYetError)


@contextmanager
def told(
    engine: "Engine", identifier: str, verb: str, landed: Sequence[str], *, together: bool
) -> Iterator[None]:
    """Let what fails inside say what is in the database now.

    Args:
        engine: whose session it is.
        identifier: the migration that is run inside.
        verb: `migrate` or `rollback`.
        landed: what was done before it.
        together: whether all of it is one transaction.

    Raises:
        VouchError: what was raised inside, or a ConnectError for a lost connection.
    """
    try:
        yield
    except VouchError as exc:
        if together and landed:
            tell_of_value_together(exc, landed[-1])
        if together and isinstance(exc, MigrationError):
            exc.hint = way_on_together(exc) or exc.hint
        if exc.state is None:
            before = [] if together else landed
            exc.state = (
                "Nothing is in the database: all of it was one transaction."
                if together
                else state_of(identifier, verb, before, is_recorded=verb == "rollback")
            )
        if exc.hint is None and isinstance(exc, MigrationError):
            exc.hint = way_on(exc, verb, is_first=engine.recorded == 0 and not landed)
        raise
    except TooMuchError as exc:
        raise MigrationError(
            f"{identifier} makes {exc}",
            state=_found_state(engine, identifier, verb, landed, _PATIENCE_S),
            hint="let it return, raise or say less: a SELECT that nobody reads can be left out",
        ) from exc
    except ConnectionLost as exc:
        if error := knows_no_transactions(str(exc)):
            raise error from exc
        raise ConnectError(
            f"the connection was lost during {identifier}",
            notes=str(exc).splitlines()[:3],
            state=_found_state(engine, identifier, verb, landed, _PATIENCE_S),
            hint="the same command again goes on where this one stopped",
        ) from exc
    except KeyboardInterrupt as exc:
        if isinstance(exc, Interrupted):
            exc.state = _found_state(engine, identifier, verb, landed, _SIGNAL_S)
        raise


def state_of(identifier: str, verb: str, landed: Sequence[str], *, is_recorded: bool) -> str:
    """Return the sentence on what is in the database."""
    if verb == "migrate":
        now = (
            f"{identifier} is in the database, whole."
            if is_recorded
            else f"Nothing of {identifier} is in the database."
        )
        return f"{now} Landed before it: {', '.join(landed)}." if landed else now
    now = (
        f"{identifier} is still in the database, whole."
        if is_recorded
        else f"{identifier} is rolled back."
    )
    return f"{now} Rolled back before it: {', '.join(landed)}." if landed else now


def _found_state(
    engine: "Engine", identifier: str, verb: str, landed: Sequence[str], budget_s: float
) -> str:
    xid = engine.transaction.xid if engine.transaction else ""
    wanted = [identifier, *landed]
    try:
        with engine.session.limited(budget_s):
            recorded = patiently(
                lambda: _recorded(engine.session, wanted, xid),
                Patience(budget_s, first_s=0.1, longest_s=1.0),
                again=lambda exc: isinstance(exc, _AGAIN),
                tell=lambda _refusal: None,
            )
    except (*_AGAIN, QueryError):
        return (
            f"{identifier} is in the database only if its COMMIT arrived; the server does not "
            "answer, pgvouch status says it later."
        )
    kept = [name for name in landed if (name in recorded) == (verb == "migrate")]
    if (done := recorded.get(identifier)) is not None:
        what = identifier if verb == "migrate" else f"The rollback of {identifier}"
        text = f"{what} is not transactional: {done} of its statements are recorded as done."
    else:
        text = state_of(identifier, verb, kept, is_recorded=identifier in recorded)
    if gone := [name for name in landed if name not in kept]:
        # Commits before the last one are flushed with it: a crash of the server may take a tail.
        text += f" Lost with the server's crash, and done again by the next run: {', '.join(gone)}."
    return text


def _recorded(session: Session, ids: Sequence[str], xid: str) -> dict[str, int | None]:
    """Return which of some migrations the ledger has, once the transaction is certainly over.

    The value is the number of statements that are done, for one that is on its way.
    """
    session.revive()
    session.roll_back()
    if xid and _is_in_progress(session, xid):
        raise _NotKnownYetError
    try:
        (result,) = session.ask(
            "select y.migration_id, null from pgvouch._yoyo_migration as y "
            f"where y.migration_id = any ({literal(list(ids))}) union all "
            "select m.migration_id, coalesce(m.statements_done, 0) from pgvouch.migration as m "
            f"where m.migration_id = any ({literal(list(ids))}) "
            "and m.state in ('incomplete', 'undoing')"
        )
    except QueryError as exc:
        if exc.server.sqlstate in _NO_LEDGER:
            return {}
        raise
    return {str(row[0]): None if row[1] is None else int(row[1]) for row in result.rows}


def _is_in_progress(session: Session, xid: str) -> bool:
    try:
        (result,) = session.ask(f"select pg_xact_status({literal(xid)}::xid8)")
    except QueryError:  # a crash may have lost the number itself: then it is over
        return False
    return bool(result.rows[0][0] == "in progress")
