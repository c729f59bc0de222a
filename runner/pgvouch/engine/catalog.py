"""What a task does to the catalog: taken in its transaction, and compared with what it promises.

It is taken from what the migration touches. Where that cannot tell, or shows something else than
was promised, the migration is rolled back and judged once more, with everything read anew: what was
read before may be stale, for other sessions change the catalog, too.
"""

from collections.abc import Sequence

from pgvouch.delta.compare import compare, compare_delta
from pgvouch.delta.known import Changes, Known, UnresolvedError
from pgvouch.delta.snapshot import REST, Group, Snapshot, add_snapshot, read_snapshot
from pgvouch.engine.context import Deltas, Scope
from pgvouch.engine.transaction import Transaction
from pgvouch.postgres.message import Message
from pgvouch.postgres.result import Result


class JudgeAgainError(Exception):
    """The task has to be run once more, with all of the catalog read ahead of it."""


class CatalogWatch:
    """The catalog before one task, and after it."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._context = context = transaction.context
        self._task = transaction.task
        self._is_fresh = context.known is None and (
            context.reads_whole
            or context.deltas is not Deltas.COMPARED
            or transaction.scope is not Scope.EACH
        )
        """All of it is read in this transaction."""
        if context.known is None:
            context.known = Known()
        self._known = context.known
        self._prepares = False
        self._changes: Changes | None = None

    def ready(self, message: Message) -> Message:
        """Make sure that names are known; return the message to go on with.

        Args:
            message: the opening. It is sent where names have to be read first.
        """
        if self._is_fresh:
            return message
        if not self._known.groups:
            self._known.add_names(message)
            results = self._transaction.open(message)
            self._known.read_names(message, results)
            message = Message()
        if not self._known.is_prepared and self._transaction.may_prepare:
            self._known.add_prepare(message)
            self._prepares = True
        return message

    def add_before(self, message: Message) -> None:
        """Append what has to be read ahead of the task."""
        if self._is_fresh:
            add_snapshot(message)
            return
        source, promised = self._task.source, self._task.expected_delta or ()
        self._known.add_before(message, (source.rendered.text, *promised))

    def read_before(self, message: Message, results: Sequence[Result]) -> None:
        """Take the results of the message to which it was added."""
        if self._is_fresh:
            self._known.read_whole(message, results)
        else:
            self._known.read_before(message, results)
            self._known.is_prepared |= self._prepares
        if self._context.deltas is Deltas.TAKEN:
            self._context.snapshots[self._task.id] = Snapshot(dict(self._known.groups))

    def add_after(self, message: Message) -> None:
        """Append what has to be read behind the task."""
        self._known.add_after(message)

    def delta(self, message: Message, results: Sequence[Result]) -> tuple[str, ...]:
        """Return what the task did to the catalog, from the results of that message.

        Raises:
            JudgeAgainError: it cannot be told, or is not what was promised, and what was read
                before may be stale.
            CheckError: it is not what was promised.
        """
        try:
            changes = self._known.changes(self._touched(message, results))
        except UnresolvedError:
            changes = self._read_again()
        expected = None if self._context.deltas is Deltas.RECORDED else self._task.expected_delta
        if expected is not None and compare(expected, changes.lines) is not None:
            again = self._read_again()
            if compare(expected, again.lines) is None:
                changes = again
            elif path := self._task.migration and self._task.migration.delta_path:
                with self._context.collecting():
                    mask = self._context.session.mask
                    compare_delta(self._task.id, path, expected, changes.lines, mask)
        self._changes = changes
        return changes.lines

    def landed(self) -> None:
        """Take what has changed as what is there from now on."""
        if self._changes is not None:
            self._known.move(self._changes)

    def _touched(self, message: Message, results: Sequence[Result]) -> dict[str, Group]:
        touched = self._known.read_after(message, results)
        if REST in touched:
            more = Message()
            self._known.add_rest(more)
            touched[REST] = self._known.read_rest(more, self._transaction.read_on(more))
        return touched

    def _read_again(self) -> Changes:
        """Return what has changed from everything to everything, in the same transaction.

        Raises:
            JudgeAgainError: it was not all read, or before this transaction.
        """
        if not self._is_fresh and self._transaction.scope is Scope.EACH:
            raise JudgeAgainError
        message = Message()
        add_snapshot(message)
        whole = read_snapshot(message, self._transaction.read_on(message))
        return self._known.changes(whole.groups, is_whole=True)
