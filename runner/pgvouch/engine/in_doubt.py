"""After a failure, a lost connection or a signal: what is in the database now, as the ledger says.

A connection that ends after COMMIT was sent and before the answer came leaves the client without
knowing. The ledger's row is part of the transaction, so whether it is there is the answer.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from pgvouch.engine.context import RunContext, Scope
from pgvouch.engine.task import Task
from pgvouch.errors import ConnectError, Interrupted, MigrationError, VouchError
from pgvouch.files.repeatable import PREFIX
from pgvouch.ledger.repeatable import in_force, read_runs
from pgvouch.postgres.advice import explain_together, next_step
from pgvouch.postgres.connect_errors import knows_no_transactions
from pgvouch.postgres.retry import RetryLimits, retry
from pgvouch.postgres.session import ConnectionLost, QueryError, Session, TooMuchError
from pgvouch.sqltext.own import own_query

_PATIENCE_S = 10.0
_SIGNAL_S = 3.0
"""After a signal, the program has to end soon."""
_NO_LEDGER = {"3F000", "42P01"}


class _NotKnownYetError(Exception):
    """The old backend is still ending its transaction."""


_AGAIN = (ConnectError, ConnectionLost, _NotKnownYetError)


@contextmanager
def explained(
    context: RunContext, task: Task, landed: Sequence[str], scope: Scope, *, is_first: bool
) -> Iterator[None]:
    """Let what fails inside say what is in the database now, and what to do next.

    Args:
        context: whose session it is.
        task: what is run inside.
        landed: what was done before it.
        scope: what one transaction holds.
        is_first: whether nothing was recorded in the database when the run began.

    Raises:
        VouchError: what was raised inside, or a ConnectError for a lost connection.
    """
    # Of a rollback that is rehearsed nothing was in that transaction but what is there.
    is_together = scope is not Scope.EACH and not task.is_rollback
    try:
        yield
    except VouchError as exc:
        if is_together:
            explain_together(exc, landed)
        if isinstance(exc, MigrationError):
            is_first = is_first and not landed
            exc.explain(hint=next_step(exc, task.direction, is_first=is_first))
        state = (
            "Nothing is in the database: all of it was one transaction."
            if is_together
            else _state(task, landed, is_recorded=task.is_rollback)
        )
        exc.explain(*task.notes, state=state)
        raise
    except TooMuchError as exc:
        raise MigrationError(
            f"{task.id} makes {exc}",
            state=_found_state(context, task, landed, _PATIENCE_S),
            hint="let it return, raise or say less: a SELECT whose rows go unused can be left out",
        ) from exc
    except ConnectionLost as exc:
        if error := knows_no_transactions(str(exc)):
            raise error from exc
        raise ConnectError(
            f"the connection was lost during {task.id}",
            notes=str(exc).splitlines()[:3],
            state=_found_state(context, task, landed, _PATIENCE_S),
            hint="the same command again goes on where this one stopped",
        ) from exc
    except KeyboardInterrupt as exc:
        if isinstance(exc, Interrupted):
            exc.state = _found_state(context, task, landed, _SIGNAL_S)
        raise


def _state(task: Task, landed: Sequence[str], *, is_recorded: bool) -> str:
    """Return the sentence on what is in the database."""
    if task.is_rollback:
        now = "still in the database, whole" if is_recorded else "rolled back"
        now, before = f"{task.id} is {now}.", "Rolled back before it"
    else:
        whole, nothing = f"{task.id} is in the database, whole.", f"Nothing of {task.id} is in"
        now = whole if is_recorded else f"{nothing} the database."
        before = "Landed before it"
    return f"{now} {before}: {', '.join(landed)}." if landed else now


def _found_state(context: RunContext, task: Task, landed: Sequence[str], budget_s: float) -> str:
    """Ask the ledger what is in the database now, waiting for an old backend to end."""
    wanted = [task.id, *landed]
    try:
        with context.session.limited(budget_s):
            recorded = retry(
                lambda: _recorded(context.session, wanted, context.xid),
                RetryLimits(budget_s, first_s=0.1, longest_s=1.0),
                again=lambda exc: isinstance(exc, _AGAIN),
                tell=lambda _refusal: None,
            )
    except (*_AGAIN, QueryError):
        return (
            f"{task.id} is in the database only if its COMMIT arrived; the server does not "
            "answer, pgvouch status says it later."
        )
    kept = [name for name in landed if (name in recorded) is not task.is_rollback]
    if (done := recorded.get(task.id)) is not None:
        what = f"The rollback of {task.id}" if task.is_rollback else task.id
        text = f"{what} is not transactional: {done} of its statements are recorded as done."
    else:
        text = _state(task, kept, is_recorded=task.id in recorded)
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
    if xid:
        with suppress(QueryError):  # a crash may have lost the number itself: then it is over
            (status,) = session.ask(own_query("engine", "transaction_status", xid=xid))
            if status.rows[0][0] == "in progress":
                raise _NotKnownYetError
    try:
        (result,) = session.ask(own_query("ledger", "recorded", ids=list(ids)))
    except QueryError as exc:
        if exc.server.sqlstate in _NO_LEDGER:
            return {}
        raise
    found = {str(row[0]): None if row[1] is None else int(row[1]) for row in result.rows}
    if any(name.startswith(PREFIX) for name in ids):
        runs = in_force(read_runs(session))
        # The first is in doubt; the others have landed before it.
        found |= {n: None for n in ids if n in runs and (n != ids[0] or runs[n].xid == xid)}
    return found
