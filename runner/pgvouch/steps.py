"""One statement of a non-transactional script, recorded so that a crash cannot hide its end.

A statement that can run in a transaction is one together with its row in the ledger, so it is done
exactly once. One that cannot is announced in the ledger first; after a crash the catalog is asked
what became of it (recovery.py).
"""

from typing import TYPE_CHECKING

from pgvouch import claims, losses, recovery
from pgvouch.db import QueryError
from pgvouch.errors import DriftError, VouchError
from pgvouch.events import Note
from pgvouch.message import Message, Source
from pgvouch.outside import Kind, Outside, outside
from pgvouch.recovery import Next

if TYPE_CHECKING:
    from pgvouch.walk import Walk

_NOT_IN_A_BLOCK = {"25001", "2D000"}  # active_sql_transaction, invalid_transaction_termination


def take_step(walk: "Walk", number: int) -> None:
    """Run a statement of a walk and record it.

    Args:
        walk: the way through the script.
        number: the statement, from 0.

    Raises:
        MigrationError: it failed, or nobody can know how an interrupted run of it ended.
        PlanError: another runner has taken over.
    """
    if walk.running not in {None, walk.written[number]}:
        _settle_another(walk, number)
    is_inside = outside(walk.steps[number].text) is None and walk.running is None
    if not (is_inside and _step_inside(walk, number)):
        _step_outside(walk, number)


def _step_inside(walk: "Walk", number: int) -> bool:
    """Run a statement and record it in one transaction; False where it refuses to be in one."""
    marker = walk.marker()
    message = Message().add(
        f"{marker} begin isolation level read committed read write",
        *walk.transaction.settings,
        walk.step_sql(number + 1, None),
    )
    _watch(walk, marker)
    try:
        if walk.transaction.verb == "rollback":
            _run_watched(walk, message, number)
        else:
            _add_statement(walk, message, number).add("commit")
            walk.session.run(message.text, rows_of_first=0)
    except QueryError as exc:
        walk.session.roll_back()
        # Some speak up only when they are run: a DO block with COMMIT, a procedure.
        if exc.server.sqlstate in _NOT_IN_A_BLOCK:
            return False
        raise _failed(walk, message, exc) from None
    walk.done = number + 1
    return True


def _run_watched(walk: "Walk", message: Message, number: int) -> None:
    """Run a statement of a rollback, and commit it if it loses nothing, or may."""
    losses.add_savepoint(message)
    statement = _add_statement(walk, Message(), number)
    opened = Message([*message.parts, *statement.parts])
    results = walk.session.run(opened.text, rows_of_first=message.counted)
    walk.lost += losses.settle(
        walk.session,
        message,
        results[: message.counted],
        lambda: _run_again(walk, statement),
        identifier=walk.identifier,
        discard=walk.engine.options.discard_data,
    )
    walk.session.run("commit")


def _run_again(walk: "Walk", statement: Message) -> None:
    walk.session.run(statement.text, rows_of_first=0)


def _step_outside(walk: "Walk", number: int) -> None:
    """Run a statement that cannot be in a transaction, announced beforehand."""
    text = walk.steps[number].text
    interrupted, walk.running = walk.running is not None, None
    found = outside(text)
    walk.announce(walk.written[number])
    todo = _settle(walk, found, interrupted=interrupted)
    if todo is Next.UNKNOWN:
        raise walk.unknown(number)
    if todo is Next.RUN:
        _run_outside(walk, number, is_undone=found is not None and found.kind is Kind.OTHER)
    walk.done = number + 1
    walk.announce(None)


def _settle(walk: "Walk", found: Outside | None, *, interrupted: bool) -> Next:
    if found is None:
        return Next.UNKNOWN if interrupted else Next.RUN
    try:
        finding = recovery.settle(walk.session, found, interrupted=interrupted)
    except QueryError as exc:
        said = f"what an interrupted run left cannot be cleared away: {exc.server.primary}"
        raise walk.own_error(exc, said) from None
    for note in finding.notes:
        walk.engine.listener(Note(f"{walk.identifier}: {note}"))
    return finding.next


def _settle_another(walk: "Walk", number: int) -> None:
    """Settle an interrupted statement that has been changed in the file since."""
    assert walk.running is not None
    todo = _settle(walk, outside(walk.running), interrupted=True)
    if todo is Next.UNKNOWN:
        raise walk.unknown(number)
    if todo is Next.DONE:
        raise DriftError(
            f"{walk.identifier} stopped in a statement that was done after all, and it has changed "
            "in the file",
            walk.script.source.place(walk.steps[number].start),
            walk.running,
            hint=f"put it back as it was: {walk.running.splitlines()[0]}",
        )
    walk.running = None


def _run_outside(walk: "Walk", number: int, *, is_undone: bool) -> None:
    marker = walk.marker()
    # An empty statement before it: the server's parser drops it, so there is still only one.
    message = Message().add_comment(marker)
    _watch(walk, marker)
    _add_statement(walk, message, number)
    try:
        walk.session.run(message.text, rows_of_first=0)
    except QueryError as exc:
        if is_undone:
            walk.announce(None)
        raise _failed(walk, message, exc) from None


def _add_statement(walk: "Walk", message: Message, number: int) -> Message:
    source, step = walk.script.source, walk.steps[number]
    offset = source.rendered.source_offset(step.start)
    rendered = type(source.rendered)(step.text, secrets=source.rendered.secrets)
    return message.add_source(Source(source.path, source.text, rendered, offset), 1, "body")


def _watch(walk: "Walk", marker: str) -> None:
    walk.engine.watch.begin(marker)
    walk.session.waiting_interval_s = walk.transaction.look_after_s()


def _failed(walk: "Walk", message: Message, exc: QueryError) -> VouchError:
    if exc.server.sqlstate == claims.TAKEN_OVER:
        return walk.own_error(exc, "")
    error = walk.transaction.error(message, exc)
    if "concurrently" in (error.statement or "").lower():
        error.notes.append(
            "an index that is left invalid is dropped and built anew by the next run"
        )
    error.hint = (
        error.hint or "correct the file from that statement on; the same command then goes on there"
    )
    return error
