"""One statement of a non-transactional script, recorded so that a crash cannot hide its end.

A statement that can run in a transaction is one together with its row in the ledger, so it is done
exactly once. One that cannot is announced in the ledger first; after a crash the catalog is asked
what became of it (recovery.py).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from pgvouch.engine import losses, recovery
from pgvouch.engine.recovery import Finding, Next
from pgvouch.errors import DriftError, PlanError, VouchError
from pgvouch.events import Note
from pgvouch.files.transaction_block import Kind, Outside, outside
from pgvouch.ledger import lease
from pgvouch.ledger.lease import BETWEEN, Stopped
from pgvouch.postgres.message import Message, Source
from pgvouch.postgres.result import Result
from pgvouch.postgres.session import QueryError
from pgvouch.sqltext.place import excerpt

if TYPE_CHECKING:
    from pgvouch.engine.walk import Walk

T = TypeVar("T")

_NOT_IN_A_BLOCK = {"25001", "2D000"}  # active_sql_transaction, invalid_transaction_termination
_SHORT = 80
_COMMITTED = ("what it has committed by itself stays",)


def take_step(walk: "Walk", number: int) -> None:
    """Run a statement of a walk and record it.

    Args:
        walk: the way through the script.
        number: the statement, from 0.

    Raises:
        MigrationError: it failed, or nobody can know how an interrupted run of it ended.
        PlanError: another runner has taken over.
    """
    is_inside = outside(walk.steps[number].text) is None
    if not (is_inside and _step_inside(walk, number)):
        _step_outside(walk, number)


def _step_inside(walk: "Walk", number: int) -> bool:
    """Run a statement and record it in one transaction; False where it refuses to be in one."""
    marker = walk.marker()
    head = Message().add(
        f"{marker} begin isolation level read committed read write",
        *walk.transaction.settings,
        walk.step_sql(number),
    )
    if walk.is_rollback:
        losses.add_savepoint(head)
    statement = _add_statement(walk, Message(), number)
    message = Message([*head.parts, *statement.parts])
    if not walk.is_rollback:
        message.add("commit")
    _watch(walk, marker)
    try:
        wanted = head.counted if walk.is_rollback else 0
        results = walk.session.run(message.text, rows_of_first=wanted)
    except QueryError as exc:
        walk.session.roll_back()
        # Some speak up only when they are run: a DO block with COMMIT, a procedure.
        if exc.server.sqlstate in _NOT_IN_A_BLOCK:
            return False
        raise _failed(walk, message, exc, number) from None
    if walk.is_rollback:
        _commit_watched(walk, head, results[: head.counted], statement, number)
    walk.count_done(number)
    return True


def _commit_watched(
    walk: "Walk", head: Message, results: Sequence[Result], statement: Message, number: int
) -> None:
    """Commit a statement of a rollback that has just run, if it loses nothing, or may."""

    def run_again() -> None:
        walk.session.run(statement.text, rows_of_first=0)

    try:
        walk.lost += losses.settle(
            walk.session,
            head,
            results,
            run_again,
            identifier=walk.identifier,
            discard=walk.engine.options.discard_data,
        )
        walk.session.run("commit")
    except QueryError as exc:
        raise _failed(walk, statement, exc, number) from None


def _step_outside(walk: "Walk", number: int) -> None:
    """Run a statement that cannot be in a transaction, announced beforehand."""
    found = outside(walk.steps[number].text)
    before = _asked(walk, lambda: recovery.observe(walk.session, found)) if found else ""
    walk.announce(Stopped(walk.written[number], before))
    is_finished = False
    if found is not None and found.kind is not Kind.REINDEX:
        is_finished = _cleared(walk, found) is Next.DONE
    if not is_finished:
        _run_outside(walk, number, found)
    walk.count_done(number)
    try:
        walk.announce()
    except PlanError:
        statement = excerpt(walk.written[number], _SHORT)
        said = f"another runner had taken over, so this may have run twice: {statement}"
        walk.engine.listener(Note(f"{walk.identifier}: {said}"))
        raise


def settle(walk: "Walk") -> None:
    """Settle the statement outside of a transaction that an earlier run has stopped in.

    Raises:
        MigrationError: nobody can know how it ended, or what it left cannot be cleared away.
        DriftError: it was done, and has changed in the file.
        PlanError: another runner has taken over.
    """
    stopped, next_one = walk.stopped, None
    if stopped == BETWEEN:
        return
    walk.announce(stopped)  # fails where another runner has taken over
    if walk.done < len(walk.steps):
        next_one = walk.steps[walk.done].text
    if stopped.running is not None:
        _settle_running(walk, stopped.running, next_one)
    elif stopped.refused is not None:
        _settle_refused(walk, stopped.refused, next_one)
    walk.announce()


def _settle_running(walk: "Walk", running: str, next_one: str | None) -> None:
    is_same = next_one is not None and running == walk.written[walk.done]
    statement = next_one if next_one is not None and is_same else running
    if (found := outside(statement)) is None:
        raise walk.unknown()
    before = walk.stopped.before
    todo = _told(
        walk, lambda: recovery.settle(walk.session, found, statement, before, walk.marker())
    )
    if not is_same:
        _tell_left(walk, found)
    if todo is Next.UNKNOWN:
        raise walk.unknown()
    if todo is Next.DONE and not is_same:
        raise DriftError(
            f"{walk.identifier} stopped in a statement that was done after all, and it has changed "
            "in the file",
            walk.place_of_next(),
            excerpt(running),
            hint=f"put it back as it was: {running.splitlines()[0]}; or take back what it did, and "
            f"pgvouch repair {walk.identifier} --redo",
        )
    if todo is Next.DONE:
        walk.count_done(walk.done)


def _settle_refused(walk: "Walk", refused: str, next_one: str | None) -> None:
    """Clear away what a refused statement left; the file may have been corrected since."""
    wanted = outside(next_one) if next_one is not None else None
    # What is in the ledger is without the values of variables, and may not parse.
    found = outside(refused) or wanted
    if found is None:
        return
    todo = _cleared(walk, found)
    if found != wanted:
        _tell_left(walk, found)
    elif todo is Next.DONE:
        walk.count_done(walk.done)


def _cleared(walk: "Walk", found: Outside) -> Next:
    return _told(walk, lambda: recovery.clear_away(walk.session, found, walk.marker()))


def _tell_left(walk: "Walk", found: Outside) -> None:
    """Tell what stays half done of a statement that the file does not have any more."""
    for note in _asked(walk, lambda: recovery.left_behind(walk.session, found)):
        walk.engine.listener(Note(f"{walk.identifier}: {note}"))


def _told(walk: "Walk", action: Callable[[], Finding]) -> Next:
    """Do what clears something away, and tell of it."""
    finding = _asked(walk, action)
    for note in finding.notes:
        walk.engine.listener(Note(f"{walk.identifier}: {note}"))
    return finding.next


def _asked(walk: "Walk", action: Callable[[], T]) -> T:
    try:
        return action()
    except QueryError as exc:
        said = f"what was left half done cannot be cleared away: {exc.server.primary}"
        raise walk.own_error(exc, said) from None


def _run_outside(walk: "Walk", number: int, found: Outside | None) -> None:
    marker = walk.marker()
    # An empty statement before it: the server's parser drops it, so there is still only one.
    message = Message().add_comment(marker)
    _watch(walk, marker)
    _add_statement(walk, message, number)
    walk.announce_again_if_late()
    try:
        walk.session.run(message.text, rows_of_first=0)
    except QueryError as exc:
        # The server has answered: nothing is announced any more.
        left = _left(walk, found) if found else _COMMITTED
        walk.announce(Stopped(refused=walk.written[number]) if found and left else BETWEEN)
        error = _failed(walk, message, exc, number)
        error.notes += left
        raise error from None


def _left(walk: "Walk", found: Outside) -> tuple[str, ...]:
    try:
        return recovery.left_behind(walk.session, found)
    except QueryError:  # the error to be told is that of the statement
        return ("the next run looks whether it has left something half done",)


def _add_statement(walk: "Walk", message: Message, number: int) -> Message:
    source, step = walk.script.source, walk.steps[number]
    offset = source.rendered.source_offset(step.start)
    rendered = type(source.rendered)(step.text, secrets=source.rendered.secrets)
    return message.add_source(Source(source.path, source.text, rendered, offset), 1, "body")


def _watch(walk: "Walk", marker: str) -> None:
    walk.engine.watch.begin(marker)
    walk.session.waiting_interval_s = walk.transaction.look_after_s()


def _failed(walk: "Walk", message: Message, exc: QueryError, number: int) -> VouchError:
    if exc.server.sqlstate == lease.TAKEN_OVER:
        return walk.own_error(exc, "")
    error = walk.transaction.error(message, exc)
    if error.statement is None:  # a constraint that speaks at the commit
        error.place = walk.script.source.place(walk.steps[number].start)
        error.statement = excerpt(walk.written[number])
    name = walk.script.source.path.name
    error.hint = error.hint or (
        f"correct {name} from that statement on; pgvouch rollback --from-files then goes on there"
        if walk.is_rollback
        else "correct the file from that statement on; the same command then goes on there"
    )
    return error
