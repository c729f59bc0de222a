"""One migration or rollback in one transaction: its SQL, its promises, its row in the ledger."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from pgvouch.engine import data_loss
from pgvouch.engine.catalog import CatalogWatch, SnapshotWatch, wants_delta
from pgvouch.engine.context import Scope
from pgvouch.engine.transaction import Transaction
from pgvouch.errors import FileError, Place
from pgvouch.events import Finished
from pgvouch.ledger import ledger
from pgvouch.ledger.repeatable import forget_runs_sql, record_run_sql
from pgvouch.ledger.rows import State
from pgvouch.postgres.message import Message, Source
from pgvouch.postgres.pooling import RESET_ROLE
from pgvouch.postgres.result import Result
from pgvouch.postgres.timeouts import locking_sql
from pgvouch.sqltext.scan import is_blank
from pgvouch.verify import checks


def run_atomic(transaction: Transaction) -> Finished:
    """Run a task in one transaction.

    Args:
        transaction: not begun yet.

    Raises:
        VouchError: it failed, or does not keep a promise; nothing of it stays.
        LedgerMovedError: another runner has done it already.
    """
    began = time.perf_counter()
    context, task = transaction.context, transaction.task
    message = transaction.opening()
    if task.unless:
        if is_provided(transaction, message):
            return record(transaction, "provided", began, Judged(transaction.check_always()))
        message = Message()
    watch = CatalogWatch(transaction) if wants_delta(transaction) else None
    if watch is not None:
        message = watch.ready(message)
    if tables := task.directives.lock_tables:
        message.add(locking_sql(tables))  # ahead of all that is read: it stays as it is
    checks.add_before(message, task.promises)
    if watch is not None:
        watch.add_before(message)
    body = _Body(transaction)
    # A rehearsal rolls everything back, and what it would lose has not been asked.
    is_kept = transaction.scope is not Scope.REHEARSAL
    watches_rows = body.is_there and (is_kept or context.options.discard_data)
    if watches_rows := watches_rows and task.takes_back:
        data_loss.add_before(message, task.source.text, is_first=transaction.begins)
    results, after = body.run(message, watches_rows=watches_rows)
    before = checks.before_values(message, results, task.promises)
    if watch is not None:
        watch.read_before(message, results)
    lost: tuple[data_loss.Loss, ...] = ()
    if watches_rows:
        (before_it,) = message.results_of("before rollback", results)
        lost = data_loss.refuse_loss(
            context,
            task.id,
            before_it,
            after,
            body.run_again,
            hold=lambda sql: transaction.send(Message().add(sql)),
            isolation=task.directives.isolation,
        )
    judged = judge(transaction, before, watch)
    outcome = "left" if task.is_provided else "rolled back" if task.is_rollback else "applied"
    outcome = "restored" if task.restores else outcome
    done = record(transaction, outcome, began, judged, lost=lost)
    if watch is None:
        context.known = None
    else:
        watch.landed()
    return done


class _Body:
    """The SQL of a task, in as many messages as its size asks for, or its Python steps."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        task = transaction.task
        self.is_there = task.is_python or not (task.is_rollback and is_blank(task.source.text))
        self._pieces: list[Source] = []
        if self.is_there and not task.is_python:
            self._pieces = list(task.source.in_pieces())

    def run(
        self, message: Message, *, watches_rows: bool
    ) -> tuple[tuple[Result, ...], Sequence[Result]]:
        """Run it behind a message, in the same round trip.

        Args:
            message: what goes ahead.
            watches_rows: whether to look afterwards at what it has lost.

        Returns:
            The results of the message, and those of looking.
        """
        transaction = self._transaction
        for piece in self._pieces[:1]:
            message.add_source(piece, None, "body")
        looking = message
        transaction.session.while_busy = transaction.prepare
        if watches_rows and len(self._pieces) == 1:
            data_loss.add_after(message)
        results = found = transaction.go_on(message)
        self._run(self._pieces[1:])
        if watches_rows and len(self._pieces) != 1:
            looking = Message()
            data_loss.add_after(looking)
            found = transaction.send(looking)
        return results, looking.results_of(data_loss.AFTER, found)

    def run_again(self) -> None:
        """Run it once more, in the same transaction."""
        self._run(self._pieces)

    def _run(self, pieces: Sequence[Source]) -> None:
        transaction, task = self._transaction, self._transaction.task
        for piece in pieces:
            transaction.send(Message().add_source(piece, None, "body"))
        if task.is_python:
            from pgvouch.engine.python_steps import run_steps

            run_steps(task, transaction.context.backend)
            transaction.refuse_ended()


def is_provided(transaction: Transaction, message: Message) -> bool:
    """Send an opening with the `unless` condition, and say whether it holds.

    Raises:
        FileError: it gives another number of rows than one.
        MigrationError: PostgreSQL refused it.
    """
    task = transaction.task
    message.add(f"select ({task.unless}\n)::boolean", name="unless")
    results = transaction.open(message)
    rows = message.results_of("unless", results)[0].rows
    if len(rows) != 1:
        raise FileError(
            f"`-- unless:` gives {len(rows)} rows, and one answer is needed",
            Place(task.source.path),
            hint="write an expression that is true or false: exists (select …)",
        )
    return rows[0][0] == "t"


@dataclass(frozen=True, slots=True)
class Judged:
    """A task whose promises are kept."""

    passed: int = 0
    """How many checks."""
    delta: tuple[str, ...] | None = None
    """What it did to the catalog, without the values of variables, where that was asked for."""
    notes: tuple[str, ...] = ()
    """In what a rollback does not undo its migration, with permission."""


def judge(
    transaction: Transaction,
    before: Sequence[Result] = (),
    watch: CatalogWatch | SnapshotWatch | None = None,
) -> Judged:
    """Run the promises, and judge what the task did to the catalog, in an open transaction.

    Args:
        transaction: the task has run in it.
        before: what the `before` queries of `same` pairs gave.
        watch: has the catalog ahead of the task, where its delta is wanted.

    Raises:
        CheckError: a promise is not kept.
        MigrationError: PostgreSQL refused something else.
        JudgeAgainError: the delta cannot be told.
    """
    context, task = transaction.context, transaction.task
    if task.promises is None and watch is None:
        return Judged(transaction.check_always())
    message = Message().add(*RESET_ROLE)
    if watch is not None:
        watch.add_after(message)
    if task.promises is None:
        results, passed = transaction.send(message), 0
    else:
        results, passed = transaction.check(message, before)
    passed += transaction.check_always()
    if watch is None:
        return Judged(passed)
    delta, notes = watch.judged(message, results)
    if delta is None:
        return Judged(passed, notes=notes)
    # It is shown and stored without the values of variables.
    shown = tuple(map(context.session.mask, delta))
    if shown != delta:
        context.with_values.add(task.id)
    return Judged(passed, shown, notes)


def record(
    transaction: Transaction,
    outcome: str,
    began_s: float,
    judged: Judged | None = None,
    *,
    lost: Sequence[data_loss.Loss] = (),
    ahead: Sequence[str] = (),
) -> Finished:
    """Write the rows of the ledger and commit; return the end of the task as an event.

    Args:
        transaction: open; the task has run in it.
        outcome: as `Finished` has it.
        began_s: when the task began, on the clock of time.perf_counter.
        judged: what came of its promises.
        lost: rows that a rollback has lost, with permission.
        ahead: statements to be run ahead of the rows.

    Raises:
        MigrationError: a deferred constraint failed, or the file ended its transaction.
    """
    task = transaction.task
    judged = judged or Judged()
    losses = (transaction.session.mask(f"lost  {loss}") for loss in lost)
    notes = (*task.notes, *losses, *judged.notes)
    duration_ms = (time.perf_counter() - began_s) * 1000
    done = Finished(task.id, outcome, duration_ms, judged.passed, judged.delta, notes)
    if task.is_rollback:
        forget = ledger.forget_sql(transaction.yoyo, task.id, xid=transaction.xid)
        transaction.finish(*ahead, forget)
        return done
    if task.is_repeatable:
        transaction.finish(*ahead, _run_sql(transaction, done))
        return done
    assert task.migration is not None
    row = ledger.record_sql(
        transaction.yoyo,
        xid=transaction.xid,
        id=task.id,
        state=outcome,
        checksum=task.migration.checksum,
        # What was not run is not rolled back either.
        rollback_sql=None if outcome == State.PROVIDED.value else task.rollback_sql,
        irreversible=task.directives.irreversible,
        transactional=task.directives.transactional,
        duration_ms=round(duration_ms, 3),
        checks_passed=judged.passed,
        delta=None if judged.delta is None else "\n".join(judged.delta),
    )
    transaction.finish(*ahead, row)
    return done


def _run_sql(transaction: Transaction, done: Finished) -> str:
    """Return the statement that records the run of a repeatable migration, or forgets it."""
    task = transaction.task
    if task.restores is not None:
        return forget_runs_sql(task.id, behind=task.behind, xid=transaction.xid)
    assert task.migration is not None
    columns = {
        "id": task.id,
        "checksum": task.migration.checksum,
        "sql": task.source.text,
        "rollback_sql": task.rollback_sql,
        "duration_ms": round(done.duration_ms, 3),
        "checks_passed": done.checks,
        "delta": "\n".join(done.delta or ()),
    }
    return record_run_sql(columns, xid=transaction.xid)
