"""After a failure, a lost connection or a signal: what is in the database now, as the ledger says.

A connection that ends after COMMIT was sent and before the answer came leaves the client without
knowing. The ledger's row is part of the transaction, so whether it is there is the answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pgvouch.engine.context import RunContext, Scope
from pgvouch.engine.task import Task
from pgvouch.errors import ConnectError, Interrupted, MigrationError, VouchError
from pgvouch.ledger.repeatable import Run, in_force, read_runs
from pgvouch.postgres.advice import explain_together, next_step
from pgvouch.postgres.connect_errors import knows_no_transactions
from pgvouch.postgres.retry import RetryLimits, retry
from pgvouch.postgres.session import ConnectionLost, QueryError, Session, TooMuchError
from pgvouch.sqltext.own import own_query

_PATIENCE_S = 10.0
_SIGNAL_S = 3.0
"""After a signal, the program has to end soon."""
_NO_LEDGER = {"3F000", "42P01"}
_NOT_BROUGHT_BACK = (
    "its earlier text, which the ledger has kept, is run in the database as it is now: drop by "
    "hand what is in its way, and run the same command again"
)


class _NotKnownYetError(Exception):
    """The old backend is still ending its transaction."""


_AGAIN = (ConnectError, ConnectionLost, _NotKnownYetError)


@contextmanager
def explained(
    context: RunContext, task: Task, landed: Sequence[Task], scope: Scope, *, is_first: bool
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
    is_together = scope is not Scope.EACH and not task.takes_back
    try:
        yield
    except VouchError as exc:
        if is_together:
            explain_together(exc, [one.id for one in landed])
        if isinstance(exc, MigrationError):
            is_first = is_first and not landed
            exc.explain(
                hint=_NOT_BROUGHT_BACK
                if task.restores
                else next_step(exc, task.direction, is_first=is_first)
            )
        state = (
            "Nothing is in the database: all of it was one transaction."
            if is_together
            else _state(task, landed, is_done=False)
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


def _state(task: Task, landed: Sequence[Task], *, is_done: bool) -> str:
    """Return the sentence on what is in the database."""
    if task.is_rollback:
        now = f"{task.id} is {'rolled back' if is_done else 'still in the database, whole'}."
    elif task.restores:
        now = f"{task.id} is as it was{' earlier' if is_done else ''}."
    elif is_done:
        now = f"{task.id} is in the database, whole."
    elif task.in_force:
        now = f"{task.id} is as it was."
    else:
        now = f"Nothing of {task.id} is in the database."
    if not landed:
        return now
    before = "Rolled back before it" if task.takes_back else "Landed before it"
    return f"{now} {before}: {', '.join(one.id for one in landed)}."


def _found_state(context: RunContext, task: Task, landed: Sequence[Task], budget_s: float) -> str:
    """Ask the ledger what is in the database now, waiting for an old backend to end."""
    tasks = [task, *landed]
    try:
        with context.session.limited(budget_s):
            found = retry(
                lambda: _look(context.session, tasks, context.xid),
                RetryLimits(budget_s, first_s=0.1, longest_s=1.0),
                again=lambda exc: isinstance(exc, _AGAIN),
                tell=lambda _refusal: None,
            )
    except (*_AGAIN, QueryError):
        return (
            f"{task.id} is in the database only if its COMMIT arrived; the server does not "
            "answer, pgvouch status says it later."
        )
    kept = [one for one in landed if found.is_done(one)]
    if (done := found.statements.get(task.id)) is not None:
        what = f"The rollback of {task.id}" if task.is_rollback else task.id
        text = f"{what} is not transactional: {done} of its statements are recorded as done."
    else:
        text = _state(task, kept, is_done=found.is_done(task))
    if gone := [one.id for one in landed if one not in kept]:
        # Commits before the last one are flushed with it: a crash of the server may take a tail.
        text += f" Lost with the server's crash, and done again by the next run: {', '.join(gone)}."
    return text


@dataclass(frozen=True, slots=True)
class _Found:
    """What the ledger says after a failure."""

    statements: Mapping[str, int | None]
    """The migrations that it has; of one that is on its way how many statements are done."""
    runs: Mapping[str, Run]
    """The runs of repeatable migrations that are in force."""

    def is_done(self, task: Task) -> bool:
        """Say whether a task has done its work."""
        if not task.is_repeatable:
            return (task.id in self.statements) is not task.is_rollback
        run = self.runs.get(task.id)
        order = run.order if run else 0
        return order == task.behind if task.restores else order > task.in_force


def _look(session: Session, tasks: Sequence[Task], xid: str) -> _Found:
    """Return what the ledger has of some tasks, once the transaction is certainly over."""
    session.revive()
    session.roll_back()
    if xid:
        with suppress(QueryError):  # a crash may have lost the number itself: then it is over
            (status,) = session.ask(own_query("engine", "transaction_status", xid=xid))
            if status.rows[0][0] == "in progress":
                raise _NotKnownYetError
    try:
        (result,) = session.ask(own_query("ledger", "recorded", ids=[task.id for task in tasks]))
    except QueryError as exc:
        if exc.server.sqlstate in _NO_LEDGER:
            return _Found({}, {})
        raise
    statements = {str(row[0]): None if row[1] is None else int(row[1]) for row in result.rows}
    has_runs = any(task.is_repeatable for task in tasks)
    return _Found(statements, in_force(read_runs(session)) if has_runs else {})
