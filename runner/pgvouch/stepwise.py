"""Non-transactional migrations: statement by statement, each one recorded when it is done."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgvouch import failure, ledger, sqltext, verify
from pgvouch.db import QueryError
from pgvouch.errors import DriftError, MigrationError, Place
from pgvouch.events import Finished
from pgvouch.message import RESET_ROLE, RESET_SESSION, Message, Source, literal
from pgvouch.migration import checksum
from pgvouch.plan import Applied, State
from pgvouch.prepare import Prepared, Script
from pgvouch.transaction import Transaction

if TYPE_CHECKING:
    from pgvouch.engine import Engine


def apply_stepwise(engine: "Engine", item: Prepared) -> Finished:
    """Apply a non-transactional migration, going on where an earlier run stopped.

    Raises:
        MigrationError: a statement failed; those before it are done and stay done.
        CheckError: its promises are not kept; all its statements are done and stay done.
        DriftError: the statements that are done are not those at the head of the file any more.
    """
    began = time.perf_counter()
    identifier = item.migration.id
    steps = [] if item.migration.is_python else sqltext.statements(item.script.source.rendered.text)
    done = _begin(engine, item, [step.text for step in steps])
    if item.migration.is_python:
        from pgvouch.backend import VouchBackend
        from pgvouch.python_steps import run_steps

        run_steps(
            item.migration, VouchBackend(engine.session.connection, in_transaction=False), "apply"
        )
    _settings(engine, item.script)
    for number in range(done, len(steps)):
        _step(engine, item, steps, number)
    passed = _judge(engine, item)
    duration_ms = (time.perf_counter() - began) * 1000
    transaction = _ledger_transaction(engine, item)
    transaction.finish(
        *engine.backend.mark_sql(identifier),
        ledger.forget_sql(identifier),
        ledger.record_sql(
            identifier,
            State.APPLIED,
            checksum=item.migration.checksum,
            rollback_sql=item.rollback_sql,
            irreversible=item.migration.directives.irreversible,
            transactional=False,
            duration_ms=duration_ms,
            checks_passed=passed,
        ),
        verified=False,
        flush=True,
    )
    return Finished(identifier, "applied", duration_ms, passed)


def _ledger_transaction(engine: "Engine", item: Prepared) -> Transaction:
    transaction = Transaction(
        engine.session,
        engine.options,
        engine.listener,
        item.migration.id,
        item.script,
        "migrate",
        engine.watch,
    )
    transaction.open(transaction.opening())
    return transaction


def _begin(engine: "Engine", item: Prepared, steps: Sequence[str]) -> int:
    """Write the row that says we are on the way; return how many statements are done already."""
    identifier = item.migration.id
    rows: list[Applied] = ledger.read(engine.session) or []
    row = next((r for r in rows if r.id == identifier and r.state is State.INCOMPLETE), None)
    if row is not None:
        done = row.statements_done or 0
        if row.checksum != _progress(steps[:done]):
            raise DriftError(
                f"{identifier} stopped after {done} statements, and these have changed in the file",
                Place(item.migration.path),
                hint="put the statements that are done back as they were; change only what follows",
            )
        return done
    transaction = _ledger_transaction(engine, item)
    transaction.finish(
        ledger.forget_sql(identifier),
        ledger.record_sql(
            identifier,
            State.INCOMPLETE,
            checksum=_progress(()),
            transactional=False,
            statements_done=0,
        ),
        verified=False,
        flush=True,
    )
    return 0


def _progress(steps: Sequence[str]) -> str:
    """Return the checksum of the statements that are done."""
    return checksum(";\n".join(steps))


def _settings(engine: "Engine", script: Script) -> None:
    message = Message().add(*RESET_SESSION)
    # No default here: a short lock_timeout cancels CREATE INDEX CONCURRENTLY, which blocks nobody.
    if script.lock_timeout:
        message.add(f"set lock_timeout = {literal(script.lock_timeout)}")
    if script.statement_timeout:
        message.add(f"set statement_timeout = {literal(script.statement_timeout)}")
    engine.session.run(message.text)


def _step(
    engine: "Engine", item: Prepared, steps: Sequence[sqltext.Statement], number: int
) -> None:
    step = steps[number]
    source = item.script.source
    offset = source.rendered.source_offset(step.start)
    message = Message().add_source(
        Source(source.path, source.text, type(source.rendered)(step.text), offset), 1, "body"
    )
    try:
        engine.session.run(message.text, rows_of_first=0)
    except QueryError as exc:
        error = failure.migration_error(
            item.migration.id, message, exc, source.rendered, verb="migrate"
        )
        raise _stopped(error, item, number, len(steps)) from None
    progress = _progress([s.text for s in steps[: number + 1]])
    engine.session.run(
        f"update pgvouch.migration set statements_done = {number + 1}, "
        f"checksum = {literal(progress)} where migration_id = {literal(item.migration.id)}"
    )


def _stopped(error: MigrationError, item: Prepared, number: int, count: int) -> MigrationError:
    error.state = (
        f"{item.migration.id} is not transactional: {number} of its {count} statements are done "
        "and in the database, the one above and those after it are not."
    )
    if "concurrently" in (error.statement or "").lower():
        error.notes.append(
            "an interrupted CREATE INDEX CONCURRENTLY leaves an invalid index behind: drop it first"
        )
    error.hint = (
        error.hint or "correct the file from that statement on, then pgvouch migrate goes on there"
    )
    return error


def _judge(engine: "Engine", item: Prepared) -> int:
    if item.promises is None:
        return 0
    message = Message().add("begin", *RESET_ROLE)
    try:
        _, verdict = verify.run(engine.session, message, item.promises)
    finally:
        engine.session.try_run("rollback")
    if verdict.broken:
        error = failure.check_error(item.migration.id, verdict.broken)
        error.state = (
            f"{item.migration.id} is not transactional: all its statements are done and in the "
            "database; it is not recorded as applied."
        )
        raise error
    return verdict.passed
