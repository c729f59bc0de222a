"""What a task does to the catalog: taken in its transaction, and compared with what it promises.

It is taken from what the migration touches. Where that cannot tell, or shows something else than
was promised, the migration is rolled back and judged once more, with everything read anew: what was
read before may be stale, for other sessions change the catalog, too.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pgvouch.delta.compare import compare, compare_delta
from pgvouch.delta.effects import Effects
from pgvouch.delta.fold import Deed, Fold
from pgvouch.delta.known import Changes, Known, Touched, UnresolvedError, add_rest, read_rest
from pgvouch.delta.lines import catalog_of, is_shape
from pgvouch.delta.roles import Roles, add_roles, is_about_roles, read_roles
from pgvouch.delta.rollback import not_undone
from pgvouch.delta.snapshot import (
    REST,
    Group,
    Snapshot,
    add_snapshot,
    difference,
    read_snapshot,
)
from pgvouch.engine.context import Deltas, Scope
from pgvouch.engine.task import Task
from pgvouch.engine.transaction import Transaction
from pgvouch.errors import CheckError, Place
from pgvouch.postgres.message import Message
from pgvouch.postgres.result import Result


def wants_delta(transaction: Transaction) -> bool:
    """Say whether the catalog is to be compared before and after the task."""
    task, deltas = transaction.task, transaction.context.deltas
    is_taken = deltas is not Deltas.COMPARED and not task.is_rollback
    # What a repeatable migration does depends on what it was before: it is taken, not promised.
    is_taken = is_taken or (task.is_repeatable and task.restores is None)
    return is_taken or task.expected_delta is not None


_UNNAMED = "it has touched what it names nowhere"


class JudgeAgainError(Exception):
    """The task has to be run once more, with all of the catalog read ahead of it.

    Its text says why, where no error follows that would.
    """


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
        self._roles: Roles | None = None

    def ready(self, message: Message) -> Message:
        """Make sure that names are known; return the message to go on with.

        Args:
            message: begins with the opening, unless that was sent; sent here where names are not
                known yet.
        """
        if self._is_fresh:
            return message
        if not self._known.groups:
            self._known.add_names(message)
            results = self._transaction.go_on(message)
            self._known.read_names(message, results)
            message = Message()
        if not self._known.is_prepared and self._transaction.may_prepare:
            self._known.add_prepare(message, is_for_many=not self._transaction.is_last)
            self._prepares = True
        return message

    def add_before(self, message: Message) -> None:
        """Append what has to be read ahead of the task."""
        if self._is_fresh:
            self._known.add_whole(message)
            return
        self._known.add_before(message, self._texts)

    def read_before(self, message: Message, results: Sequence[Result]) -> None:
        """Take the results of the message to which it was added."""
        if self._is_fresh:
            self._known.read_whole(message, results)
        else:
            self._known.read_before(message, results)
            self._known.is_prepared |= self._prepares

    def add_after(self, message: Message) -> None:
        """Append what has to be read behind the task."""
        self._known.add_after(message, self._texts)

    def judged(
        self, message: Message, results: Sequence[Result]
    ) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
        """Judge what the task did by the results of that message.

        Returns:
            The delta of a migration, and notes: in what a rollback does not undo its migration.

        Raises:
            JudgeAgainError: it cannot be told, or is not what was promised, and what was read
                before may be stale.
            CheckError: it is not what was promised.
        """
        context, task = self._context, self._task
        touched = self._known.read_after(message, results)
        if touched.lacks_others:
            touched = replace(touched, groups=self._all_groups())
        roles = self._read_more(touched)
        changes = self._changes_of(touched, roles)
        self._changes, self._roles = changes, roles
        context.rows_written |= touched.maybe_written
        if task.is_rollback:
            return None, self._undone(changes)
        effects = self._effects(touched, roles)
        if context.deltas is Deltas.RECORDED:
            if tables := ", ".join(effects.undeclared()):
                context.note(
                    f"{task.id} found no row to write in {tables} here; if it may elsewhere, say "
                    f"so in its header: -- writes: {tables}"
                )
        elif task.expected_delta is not None:
            changes = self._compared(changes, effects, task.expected_delta)
            self._changes = changes
        return tuple(sorted({*changes.lines, *effects.recorded(task.expected_delta or ())})), ()

    def landed(self) -> None:
        """Take what has changed as what is there from now on."""
        if self._changes is not None:
            self._known.move(self._changes, self._roles)

    @property
    def _texts(self) -> tuple[str, ...]:
        return (self._task.source.rendered.text, *(self._task.expected_delta or ()))

    def _all_groups(self) -> dict[str, Group]:
        """Read what is touched again, with functions and types.

        What else was read stays as it was: the promises have run since, and what they have tried to
        write is counted, too.
        """
        message = Message()
        self._known.add_after(message)
        return self._known.read_after(message, self._transaction.read_on(message)).groups

    def _effects(self, touched: Touched, roles: Roles | None) -> Effects:
        context, task = self._context, self._task
        lines: tuple[str, ...] = ()
        if roles and touched.wrote_roles:
            lines = roles.changes(self._known.roles, task.source.rendered.text)
        return Effects(
            touched.written,
            touched.maybe_written,
            frozenset(task.directives.writes),
            # What an earlier task of the transaction has written shows as written for this one.
            frozenset(() if self._transaction.scope is Scope.EACH else context.rows_written),
            lines,
            roles,
        )

    def _read_more(self, touched: Touched) -> Roles | None:
        """Read what is seldom touched, where it is, and the roles where they matter."""
        more = Message()
        promised = () if self._task.is_rollback else self._task.expected_delta or ()
        wants_roles = touched.wrote_roles or any(map(is_about_roles, promised))
        if REST in touched.groups:
            add_rest(more)
        if wants_roles:
            add_roles(more)
        if not more.parts:
            return None
        results = self._transaction.read_on(more)
        if REST in touched.groups:
            touched.groups[REST] = read_rest(more, results)
        return read_roles(more, results) if wants_roles else None

    def _changes_of(self, touched: Touched, roles: Roles | None) -> Changes:
        if roles is not None and roles.lacks_a_role_of(self._known.roles):
            return self._read_again(_UNNAMED)
        try:
            return self._known.changes_to(touched.groups)
        except UnresolvedError:
            return self._read_again(_UNNAMED)

    def _compared(self, changes: Changes, effects: Effects, expected: Sequence[str]) -> Changes:
        happened = effects.beside(expected)

        def is_it(found: Changes) -> bool:
            without = found.without(self._context.made)
            return any(
                compare(expected, (*one.lines, *happened)) is None for one in (found, without)
            )

        if is_it(changes):
            return changes
        if is_it(again := self._read_again()):
            return again
        _compare(self._transaction, (*changes.without(self._context.made).lines, *happened))
        return changes

    def _undone(self, changes: Changes) -> tuple[str, ...]:
        before, after = Snapshot(changes.before), Snapshot(changes.after)
        notes = _not_undone(self._transaction, before, after, self._whole)
        if notes and not self._context.options.accept_difference:
            again = self._read_again()
            before, after = Snapshot(again.before), Snapshot(again.after)
            notes = _not_undone(self._transaction, before, after, lambda: after)
            notes = _refuse_not_undone(self._transaction, notes)
        return notes

    def _read_again(self, why: str = "") -> Changes:
        """Return what has changed from everything to everything, in the same transaction.

        Raises:
            JudgeAgainError: it was not all read, or before this transaction.
        """
        if not self._is_fresh and self._transaction.scope is Scope.EACH:
            raise JudgeAgainError(why)
        return self._known.changes_to_all(self._whole().groups)

    def _whole(self) -> Snapshot:
        message = Message()
        add_snapshot(message)
        return read_snapshot(message, self._transaction.read_on(message))


class SnapshotWatch:
    """The catalog before and after a task that is not in one transaction, all of it.

    What others change until the last statement is done counts as the task's own.
    """

    def __init__(self, transaction: Transaction, before: Snapshot | None) -> None:
        """Begin with the catalog ahead of the task.

        Args:
            transaction: the last one of the task.
            before: None where an interrupted run has begun the task: it is not known then.
        """
        self._transaction = transaction
        self._before = before

    def add_after(self, message: Message) -> None:
        """Append what has to be read behind the task."""
        add_snapshot(message)

    def judged(
        self, message: Message, results: Sequence[Result]
    ) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
        """Judge what the task did by the results of that message; as CatalogWatch does.

        Raises:
            CheckError: it is not what was promised.
        """
        transaction, task = self._transaction, self._transaction.task
        before, after = self._before, read_snapshot(message, results)
        if before is None:
            with transaction.context.collecting():
                _refuse_what_is_not_there(task, after)
            return None, ()
        if task.is_rollback:
            notes = _not_undone(transaction, before, after, lambda: after)
            if not transaction.context.options.accept_difference:
                notes = _refuse_not_undone(transaction, notes)
            return None, notes
        delta = difference(before, after)
        if transaction.context.deltas is not Deltas.RECORDED:
            # Which rows it writes is not looked at.
            effects = (line for line in task.expected_delta or () if not is_shape(line))
            _compare(transaction, (*delta, *effects))
        return delta, ()


def _compare(transaction: Transaction, happened: Sequence[str]) -> None:
    """Compare what happened with the .delta file, where there is one."""
    task, context = transaction.task, transaction.context
    path = task.migration.delta_path if task.migration else None
    if path is not None and task.expected_delta is not None:
        with context.collecting():
            compare_delta(task.id, path, task.expected_delta, happened, context.session.mask)


def _not_undone(
    transaction: Transaction, before: Snapshot, after: Snapshot, whole: Callable[[], Snapshot]
) -> tuple[str, ...]:
    task = transaction.task
    found = not_undone(task.expected_delta or (), before, after, whole, task.directives.leaves)
    return tuple(map(transaction.session.mask, found))


def _refuse_not_undone(transaction: Transaction, notes: Sequence[str]) -> tuple[str, ...]:
    """Refuse a rollback that does not undo what its migration did.

    Returns:
        Nothing, whether there is nothing to refuse, or the refusal is kept for later.

    Raises:
        CheckError: naming every line.
    """
    task = transaction.task
    if not notes:
        return ()
    with transaction.context.collecting():
        raise CheckError(
            f"the rollback of {task.id} does not leave the catalog as it was before {task.id}",
            Place(task.source.path),
            notes=list(notes),
            hint="complete the rollback file (--from-files has it used); what it rightly leaves is "
            "declared in its header, as in `-- leaves: extension citext`; or, if the database was "
            "changed by other means and may lose that: --accept-difference"
            if transaction.scope is not Scope.REHEARSAL
            else "complete the rollback file, and rehearse again; what it rightly leaves is "
            "declared in its header, as in `-- leaves: extension citext`",
        )
    return ()


def _refuse_what_is_not_there(task: Task, after: Snapshot) -> None:
    """Judge a migration that was interrupted by what its delta says that there is now.

    Raises:
        CheckError: naming every object that is otherwise.
    """
    path = task.migration.delta_path if task.migration else None
    if task.is_rollback or task.expected_delta is None or path is None:
        return
    fold = Fold.of([Deed(task.id, task.expected_delta)])
    differing = fold.compare(catalog_of(after.objects)).differing
    if differing:
        raise CheckError(
            f"{task.id} has left the catalog otherwise than its delta promises",
            Place(path),
            notes=[
                f"expected {d.expected or 'nothing'}; found {d.found or 'nothing'}"
                for d in differing
            ],
            hint=f"make it so by hand; or correct the file: pgvouch accept-delta {task.id}",
        )
