"""Runs tasks, one after the other: each with its checks and its ledger row in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pgvouch.delta.known import PREPARED
from pgvouch.engine import in_doubt
from pgvouch.engine.atomic import run_atomic
from pgvouch.engine.catalog import JudgeAgainError
from pgvouch.engine.context import Deltas, RunContext, Scope
from pgvouch.engine.lock_timeout import run_again_when_refused
from pgvouch.engine.task import Task
from pgvouch.engine.transaction import Transaction
from pgvouch.errors import MigrationError, PlanError
from pgvouch.events import Finished, Scheduled, Started
from pgvouch.ledger.lock import LedgerMovedError

_NO_STATEMENT = "26000"


def run(
    context: RunContext,
    tasks: Sequence[Task],
    scope: Scope = Scope.EACH,
    *,
    recorded: int | None = None,
) -> list[Finished]:
    """Run tasks in order.

    Args:
        context: the session and how it is used.
        tasks: what to apply, or what to roll back.
        scope: what one transaction holds.
        recorded: how many migrations the ledger has now; when another runner changes that otherwise
            than by applying these, the run stops. None: they are not counted.

    Returns:
        What was done; what another runner was quicker with is left out.

    Raises:
        VouchError: one failed; its `state` says what landed before it.
    """
    context.open()
    context.listener(Scheduled(tuple(task.id for task in tasks)))
    context.counts = context.deltas is not Deltas.COMPARED or any(
        task.expected_delta is not None or task.is_repeatable for task in tasks
    )
    try:
        if scope is Scope.TOGETHER:
            whole = partial(_run_all, context, tasks, scope, recorded)
            return run_again_when_refused(context, "all of it", whole)
        return _run_all(context, tasks, scope, recorded)
    finally:
        context.flush()
        context.close()


def _run_all(
    context: RunContext, tasks: Sequence[Task], scope: Scope, recorded: int | None
) -> list[Finished]:
    finished: list[Finished] = []
    landed: list[Task] = []
    context.known = None
    context.rows_written.clear()
    repeated = 0
    for number, task in enumerate(tasks):
        context.begin(task.id)
        run_one = partial(
            _run_one,
            context,
            task,
            scope,
            is_last=number == len(tasks) - 1,
            recorded=None if recorded is None else recorded + number - repeated,
        )
        with in_doubt.explained(context, task, landed, scope, is_first=recorded == 0):
            done = (
                run_again_when_refused(context, task.id, run_one)
                if scope is Scope.EACH
                else run_one()
            )
        repeated += task.is_repeatable
        if done is not None:
            context.listener(done)
            finished.append(done)
            if done.outcome in {"applied", "rolled back", "restored"}:
                landed.append(task)
    return finished


def _run_one(
    context: RunContext, task: Task, scope: Scope, *, is_last: bool, recorded: int | None
) -> Finished | None:
    """Run a task; None where another runner has done it already."""
    context.listener(Started(task.id, task.direction))
    transaction = Transaction(context, task, scope, is_last, recorded)
    try:
        if task.directives.transactional:
            done = _run_judged(transaction)
        else:
            from pgvouch.engine.stepwise import run_stepwise

            context.known = None
            done = run_stepwise(transaction)
    except LedgerMovedError:
        if transaction.begins and transaction.commits:
            return None
        verb = "rolled back" if task.is_rollback else "applied"
        raise PlanError(
            f"another runner has {verb} {task.id} in the meantime",
            hint="run the same command again: it plans anew",
        ) from None
    except BaseException:
        context.session.roll_back()
        raise
    context.is_unflushed = transaction.commits and not transaction.is_last
    return done


def _run_judged(transaction: Transaction) -> Finished:
    """Run a task in a transaction; once more, where its delta has to be judged again."""
    context = transaction.context
    try:
        return run_atomic(transaction)
    except JudgeAgainError as exc:
        context.reads_whole = True
        if why := str(exc):
            context.note(f"{transaction.task.what} is run once more for its delta: {why}")
    except MigrationError as exc:
        # The task itself, or a new connection, has done away with it.
        if not (exc.server and exc.server.sqlstate == _NO_STATEMENT and PREPARED in str(exc)):
            raise
        context.may_prepare = False
    context.session.roll_back()
    context.known = None
    try:
        return run_atomic(replace(transaction, xid=""))
    finally:
        context.reads_whole = False
        context.may_prepare = True
