"""Takes migrations back, newest first, each in a transaction with its own promises."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pgvouch.delta.snapshot import add_snapshot, difference, read_snapshot
from pgvouch.engine import in_doubt, losses
from pgvouch.engine.atomic import keep
from pgvouch.engine.losses import Loss
from pgvouch.engine.prepare import Script, check_sql, make_script, python_script
from pgvouch.engine.run import Engine
from pgvouch.engine.transaction import LedgerMovedError, Transaction
from pgvouch.errors import CheckError, Place, PlanError, VouchError
from pgvouch.events import Finished, Started
from pgvouch.files.folder import read_text
from pgvouch.files.migration import Migration
from pgvouch.files.promises import Promises, read_promises
from pgvouch.ledger import ledger
from pgvouch.ledger.rows import Applied, State
from pgvouch.plan.build import begun_otherwise
from pgvouch.postgres.message import RESET_ROLE, Message
from pgvouch.postgres.result import Result
from pgvouch.sqltext.scan import is_blank
from pgvouch.verify import checks


@dataclass(frozen=True, slots=True)
class Undo:
    """One step of a rollback, read and checked."""

    row: Applied
    migration: Migration | None
    script: Script
    promises: Promises | None
    notes: tuple[str, ...] = ()


def prepare_rollback(
    engine: Engine,
    rows: Sequence[Applied],
    files: Mapping[str, Migration],
    variables: Mapping[str, str],
) -> list[Undo]:
    """Read all rollback SQL, from the ledger before the files, and refuse what cannot be undone.

    Raises:
        PlanError: a migration without rollback SQL, or one that says it is irreversible.
        FileError: a file that is not what its name says.
    """
    stored = ledger.rollback_texts(engine.session, [row.id for row in rows])
    return [
        _prepare(
            row,
            stored.get(row.id, ledger.Stored()),
            files.get(row.id),
            variables,
            from_file=engine.options.rollback_from_files,
        )
        for row in rows
    ]


def _prepare(
    row: Applied,
    stored: ledger.Stored,
    migration: Migration | None,
    variables: Mapping[str, str],
    *,
    from_file: bool,
) -> Undo:
    if stored.irreversible:
        raise PlanError(
            f"{row.id} cannot be rolled back: {stored.irreversible}",
            state="Nothing was rolled back.",
            hint="restore a backup, or write a new migration that undoes what can be undone",
        )
    on_disk = migration.rollback_path if migration else None
    path = on_disk or Path(f"{row.id}.rollback.sql")
    promises = read_promises(migration.rollback_verify_path) if migration else None
    if row.state is State.PROVIDED:
        return Undo(row, migration, make_script("", path, {}), None)
    if migration is not None and migration.is_python:
        return Undo(row, migration, python_script(migration), promises)
    text = stored.sql
    notes: tuple[str, ...] = ()
    if on_disk is not None:
        written = read_text(on_disk)
        if text is None or from_file:
            check_sql(written, on_disk)
        if text is not None and written != text:
            used = "the file is used" if from_file else "the ledger's own text is used"
            notes = (f"{on_disk.name} has changed since; {used}",)
        text = written if text is None or from_file else text
    if text is None:
        raise PlanError(
            f"{row.id} has no rollback: none was stored with it, and there is no file",
            state="Nothing was rolled back.",
            hint=f"write {path.name} beside the migration"
            if migration
            else f"its file is not here either: put it back, and write {path.name} beside it",
        )
    script = make_script(text, path, variables)
    if script.transactional and row.state is State.UNDOING and row.is_half_done:
        raise begun_otherwise(row, Place(path), "the same command")
    return Undo(row, migration, script, promises, notes)


def roll_back(engine: Engine, undo: Sequence[Undo], *, together: bool = False) -> list[Finished]:
    """Take migrations back.

    Args:
        engine: the session and its options.
        undo: what to take back, newest first.
        together: inside an open transaction that somebody else ends (a rehearsal).

    Raises:
        VouchError: one failed; its `state` says what was rolled back before it.
    """
    finished: list[Finished] = []
    left: set[str] = set()
    try:
        for number, step in enumerate(undo):
            gone = [event.id for event in finished if event.outcome == "rolled back"]
            run = partial(_one, engine, step, flush=number == len(undo) - 1, together=together)
            with in_doubt.told(engine, step.row.id, "rollback", gone, together=False):
                done = run() if together else engine.persist(step.row.id, run)
            if together:
                with engine.comparing():
                    _compare_catalog(engine, step, left)
            if done is not None:
                engine.listener(done)
                finished.append(done)
    finally:
        engine.flush()
        engine.watch.close()
    return finished


def _one(engine: Engine, step: Undo, *, flush: bool, together: bool) -> Finished | None:
    transaction = Transaction(
        engine.session,
        engine.options,
        engine.listener,
        step.row.id,
        step.script,
        "rollback",
        engine.watch,
        begins=not together,
        commits=not together,
    )
    engine.transaction = transaction
    engine.listener(Started(step.row.id, "rollback"))
    began = time.perf_counter()
    try:
        if step.script.transactional or step.row.state is State.PROVIDED:
            passed, lost = _undo(engine, transaction, step, flush=flush)
            engine.unflushed = not (flush or together)
        else:
            passed, lost = _undo_stepwise(engine, transaction, step)
    except LedgerMovedError:
        return None
    except VouchError as exc:
        engine.session.roll_back()
        exc.notes += step.notes
        raise
    except BaseException:
        engine.session.roll_back()
        raise
    duration_ms = (time.perf_counter() - began) * 1000
    notes = (*step.notes, *(engine.session.mask(f"lost  {loss}") for loss in lost))
    outcome = "left" if step.row.state is State.PROVIDED else "rolled back"
    return Finished(step.row.id, outcome, duration_ms, passed, notes=notes)


def _undo(
    engine: Engine, transaction: Transaction, step: Undo, *, flush: bool
) -> tuple[int, tuple[Loss, ...]]:
    """Take a migration back in one transaction; return the promises kept and the rows lost."""
    message = transaction.opening()
    transaction.add_locks(message)
    checks.add_before(message, step.promises)
    is_empty = step.row.state is State.PROVIDED or (
        not _is_python(step) and is_blank(step.script.source.text)
    )
    # A rehearsal takes everything back, and nobody has asked what it would lose.
    is_watched = not is_empty and (transaction.commits or engine.options.discard_data)
    if is_watched:
        losses.add_savepoint(message)
    body = Message()
    if not is_empty and not _is_python(step):
        body.add_source(step.script.source, None, "body")
    results = transaction.open(Message([*message.parts, *body.parts]))
    head = results[: message.counted]
    before = checks.before_values(message, head, step.promises)

    def run_steps() -> None:
        from pgvouch.engine.python_steps import run_steps

        assert step.migration is not None
        run_steps(step.migration, engine.backend, "rollback")
        transaction.refuse_ended()

    def run_again() -> None:
        if _is_python(step):
            run_steps()
        else:
            transaction.send(body)

    if _is_python(step) and not is_empty:
        run_steps()
    lost: tuple[Loss, ...] = ()
    if is_watched:
        discard = engine.options.discard_data
        lost = losses.settle(
            engine.session, message, head, run_again, identifier=step.row.id, discard=discard
        )
    passed = _judge(transaction, step, before)
    _forget(engine, transaction, step, flush=flush)
    return passed, lost


def _is_python(step: Undo) -> bool:
    return step.migration is not None and step.migration.is_python


def _undo_stepwise(
    engine: Engine, transaction: Transaction, step: Undo
) -> tuple[int, tuple[Loss, ...]]:
    """Take a migration back statement by statement; the same as above."""
    from pgvouch.engine.walk import Walk

    with Walk(engine, transaction) as walk:
        if _is_python(step) and step.migration is not None and not walk.done:
            walk.run_python(step.migration, "rollback")
        walk.run()
        transaction.open(transaction.opening())
        passed = _judge(transaction, step, ())
        _forget(engine, transaction, step, walk.owned_sql(), flush=True)
    return passed, tuple(walk.lost)


def _forget(engine: Engine, transaction: Transaction, step: Undo, *ahead: str, flush: bool) -> None:
    transaction.finish(
        *ahead,
        *engine.backend.unmark_sql(step.row.id),
        ledger.forget_sql(step.row.id),
        verified=step.promises is not None,
        flush=flush,
    )


def _judge(transaction: Transaction, step: Undo, before: Sequence[Result]) -> int:
    if step.promises is None:
        return 0
    name = f"the rollback of {step.row.id}"
    _, passed = keep(transaction, name, Message().add(*RESET_ROLE), step.promises, before)
    return passed


def _compare_catalog(engine: Engine, step: Undo, known: set[str]) -> None:
    """In a rehearsal, refuse a rollback that leaves the catalog other than it was.

    Args:
        engine: with the snapshots of the way forward.
        step: what was rolled back.
        known: what the rollbacks before it have left over; what this one leaves is added.
    """
    before = engine.snapshots.get(step.row.id)
    if before is None:
        return
    message = Message()
    add_snapshot(message)
    after = read_snapshot(message, engine.session.run(message.text))
    left = [line for line in difference(before, after) if line not in known]
    known.update(left)
    if left:
        raise CheckError(
            f"the rollback of {step.row.id} does not leave the catalog as it was",
            Place(step.script.source.path),
            notes=[f"left over:  {engine.session.mask(line)}" for line in left],
            hint="complete the rollback file, and rehearse again",
        )
