"""Applies one migration in one transaction: the SQL, its promises, its row in the ledger."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgvouch.delta.compare import compare_delta
from pgvouch.delta.snapshot import Snapshot, add_snapshot, difference, read_snapshot
from pgvouch.engine.prepare import Prepared
from pgvouch.engine.transaction import Transaction
from pgvouch.errors import FileError, Place
from pgvouch.events import Finished
from pgvouch.files.promises import Promises
from pgvouch.ledger import ledger
from pgvouch.ledger.rows import State
from pgvouch.postgres.message import RESET_ROLE, Message
from pgvouch.postgres.result import Result
from pgvouch.postgres.session import QueryError
from pgvouch.verify import checks
from pgvouch.verify.wording import check_error

if TYPE_CHECKING:
    from pgvouch.engine.run import Engine


def apply(engine: "Engine", transaction: Transaction, item: Prepared, *, flush: bool) -> Finished:
    """Apply a transactional migration.

    Args:
        engine: the session and its options.
        transaction: not begun yet.
        item: the migration.
        flush: wait until its commit is on disk.

    Raises:
        VouchError: it failed, or does not keep a promise; nothing of it stays.
    """
    began = time.perf_counter()
    wants_delta = engine.takes_every_delta or item.expected_delta is not None
    message = transaction.opening()
    if item.migration.directives.unless:
        if is_provided(transaction, message, item):
            return record_provided(engine, transaction, item, began, flush=flush)
        message = Message()
    transaction.add_locks(message)
    checks.add_before(message, item.promises)
    if wants_delta:
        add_snapshot(message)
    before, snapshot = _run_body(engine, transaction, message, item, wants_delta=wants_delta)
    passed, delta = judge(engine, transaction, item, before, snapshot)
    if delta is not None:
        path, expected = item.migration.delta_path, item.expected_delta
        if engine.compares_deltas and path is not None and expected is not None:
            with engine.comparing():
                compare_delta(item.migration.id, path, expected, delta, engine.session.mask)
        delta = _without_values(engine, item.migration.id, delta)
    duration_ms = (time.perf_counter() - began) * 1000
    done = Finished(item.migration.id, "applied", duration_ms, passed, delta)
    verified = item.promises is not None or wants_delta
    record(engine, transaction, item, done, verified=verified, flush=flush)
    return done


def _without_values(engine: "Engine", identifier: str, delta: tuple[str, ...]) -> tuple[str, ...]:
    """Return a delta that may be shown and stored."""
    shown = tuple(map(engine.session.mask, delta))
    if shown != delta:
        engine.with_values.add(identifier)
    return shown


def is_provided(transaction: Transaction, message: Message, item: Prepared) -> bool:
    """Send an opening with the `unless` condition, and say whether it holds."""
    message.add(f"select ({item.migration.directives.unless}\n)::boolean", name="unless")
    results = transaction.open(message)
    rows = message.results_of("unless", results)[0].rows
    if len(rows) != 1:
        raise FileError(
            f"`-- unless:` gives {len(rows)} rows, and one answer is needed",
            Place(item.migration.path),
            hint="write an expression that is true or false: exists (select …)",
        )
    return rows[0][0] == "t"


def record_provided(
    engine: "Engine", transaction: Transaction, item: Prepared, began: float, *, flush: bool
) -> Finished:
    """Record a migration that the database has already."""
    duration_ms = (time.perf_counter() - began) * 1000
    done = Finished(item.migration.id, "provided", duration_ms)
    record(engine, transaction, item, done, verified=False, flush=flush)
    return done


def judge(
    engine: "Engine",
    transaction: Transaction,
    item: Prepared,
    before: Sequence[Result] = (),
    snapshot: Snapshot | None = None,
) -> tuple[int, tuple[str, ...] | None]:
    """Run the promises and the second snapshot in an open transaction.

    Returns:
        How many checks passed, and the delta where there is a first snapshot.

    Raises:
        CheckError: a promise is not kept.
        MigrationError: PostgreSQL refused something else.
    """
    if item.promises is None and snapshot is None:
        return 0, None
    message = Message().add(*RESET_ROLE)
    if snapshot is not None:
        add_snapshot(message)
    results, passed = keep(transaction, item.migration.id, message, item.promises, before)
    if snapshot is None:
        return passed, None
    engine.snapshots[item.migration.id] = snapshot
    return passed, difference(snapshot, read_snapshot(message, results))


def keep(
    transaction: Transaction,
    name: str,
    message: Message,
    promises: Promises | None,
    before: Sequence[Result],
) -> tuple[tuple[Result, ...], int]:
    """Send a message with promises behind it, in an open transaction.

    Returns:
        The results of the message, and how many promises were kept.

    Raises:
        CheckError: one was not.
        MigrationError: PostgreSQL refused the message itself, or others were in a check's way.
    """
    try:
        results, verdict = checks.run(
            transaction.session, message, promises, before, settings=transaction.settings
        )
    except QueryError as exc:
        raise transaction.error(message, exc) from None
    if verdict.broken:
        raise check_error(name, verdict.broken)
    if verdict.unjudged:
        raise transaction.unjudged(name, verdict.unjudged[0])
    return results, verdict.passed


def record(
    engine: "Engine",
    transaction: Transaction,
    item: Prepared,
    done: Finished,
    *ahead: str,
    verified: bool,
    flush: bool,
) -> None:
    """Write the rows of the ledger and commit.

    Args:
        engine: the session and its options.
        transaction: open.
        item: the migration.
        done: what was done with it.
        ahead: statements to be run ahead of the rows.
        verified: whether promises have run and must be taken back first.
        flush: wait until the commit is on disk.

    Raises:
        MigrationError: a deferred constraint failed, or the file ended its transaction.
    """
    migration = item.migration
    provided = done.outcome == State.PROVIDED.value
    row = ledger.record_sql(
        migration.id,
        State(done.outcome),
        checksum=migration.checksum,
        # What was not run is not rolled back either.
        rollback_sql=None if provided else item.rollback_sql,
        irreversible=migration.directives.irreversible,
        transactional=item.script.transactional,
        duration_ms=done.duration_ms,
        checks_passed=done.checks,
        delta=done.delta,
    )
    mark = engine.backend.mark_sql(migration.id)
    forget = ledger.forget_sql(migration.id)
    transaction.finish(*ahead, *mark, forget, row, verified=verified, flush=flush)


def _run_body(
    engine: "Engine",
    transaction: Transaction,
    message: Message,
    item: Prepared,
    *,
    wants_delta: bool,
) -> tuple[list[Result], Snapshot | None]:
    """Send the opening and the migration itself, in one message where it is SQL."""
    pieces = [] if item.migration.is_python else list(item.script.source.in_pieces())
    for piece in pieces[:1]:
        message.add_source(piece, None, "body")
    results = transaction.send(message) if transaction.xid else transaction.open(message)
    for piece in pieces[1:]:
        transaction.send(Message().add_source(piece, None, "body"))
    before = checks.before_values(message, results, item.promises)
    snapshot = read_snapshot(message, results) if wants_delta else None
    if item.migration.is_python:
        from pgvouch.engine.python_steps import run_steps

        run_steps(item.migration, engine.backend, "apply")
        transaction.refuse_ended()
    return before, snapshot
