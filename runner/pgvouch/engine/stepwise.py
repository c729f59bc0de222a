"""A non-transactional migration or rollback: statement by statement, then its promises.

A statement that can run in a transaction block is in one together with its row in the ledger, so it
is done exactly once. One that cannot is announced in the ledger first; after a crash the catalog is
asked what became of it (reconcile.py).
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pgvouch.delta.snapshot import add_snapshot, read_snapshot
from pgvouch.engine import data_loss
from pgvouch.engine.atomic import is_provided, judge, record
from pgvouch.engine.catalog import SnapshotWatch, wants_delta
from pgvouch.engine.reconcile import Landed, Reconciled, Reconciler
from pgvouch.engine.resume import PYTHON, Progress
from pgvouch.engine.transaction import Transaction
from pgvouch.errors import DriftError, MigrationError, PlanError, VouchError
from pgvouch.events import Finished, Note
from pgvouch.files.directives import ISOLATION
from pgvouch.files.transaction_block import Kind, Outside, outside
from pgvouch.ledger import lease
from pgvouch.ledger.lease import BETWEEN, Stopped
from pgvouch.postgres.message import Message, Source
from pgvouch.postgres.pooling import RESET_SESSION, application_name_sql
from pgvouch.postgres.result import Result
from pgvouch.postgres.session import QueryError
from pgvouch.sqltext.own import literal
from pgvouch.sqltext.place import excerpt

_SESSION_SET = re.compile(r"(?:set|reset)\s+(?!local\b|constraints\b|transaction\b)", re.IGNORECASE)
_NOT_IN_A_BLOCK = {"25001", "2D000"}  # active_sql_transaction, invalid_transaction_termination
_SHORT = 80
_COMMITTED = ("what it has committed by itself stays",)


def run_stepwise(transaction: Transaction) -> Finished:
    """Run a non-transactional task, going on where an earlier run stopped.

    Args:
        transaction: not begun; the promises and the row of the ledger will be in it.

    Raises:
        MigrationError: a statement failed; those before it are done and stay done.
        CheckError: its promises are not kept; all its statements are done and stay done.
        DriftError: the statements that are done are not those at the head of the file any more.
        LedgerMovedError: another runner has done all of it.
    """
    began = time.perf_counter()
    if transaction.task.unless:
        is_there = is_provided(transaction, transaction.opening())
        # A migration under way may itself have made what its `unless` looks for.
        if is_there and lease.read(transaction.session, transaction.task.id) is None:
            return record(transaction, "provided", began)
        transaction.session.run("rollback")
    with _Steps(transaction) as steps:
        watch = steps.look_ahead() if wants_delta(transaction) else None
        steps.run()
        transaction.open(transaction.opening())
        judged = judge(transaction, watch=watch)
        outcome = "rolled back" if transaction.task.is_rollback else "applied"
        ahead = [lease.owned_sql(steps.task.id, steps.token)]
        return record(transaction, outcome, began, judged, lost=steps.lost, ahead=ahead)


class _Steps(Progress):
    """The statements of a non-transactional task, one by one."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self.lost: list[data_loss.Loss] = []

    def look_ahead(self) -> SnapshotWatch:
        """Return the catalog as it is before anything is done."""
        if self.done or self.stopped != BETWEEN:
            return SnapshotWatch(self.transaction, None)
        message = self.transaction.opening()
        add_snapshot(message)
        results = self.transaction.open(message)
        self.session.run("rollback")
        return SnapshotWatch(self.transaction, read_snapshot(message, results))

    def run(self) -> None:
        """Do every statement that is not done yet.

        Raises:
            MigrationError: a statement failed, or the end of an interrupted one is unknown.
            PlanError: another runner has taken over.
        """
        if self.task.is_python and not self.done:
            self._run_python()
        self._prepare_session()
        self._reconcile()
        for number in range(self.done, len(self.steps)):
            self.context.step = number + 1, len(self.steps)
            is_inside = outside(self.steps[number].text) is None
            if not (is_inside and self._run_inside(number)):
                self._run_announced(number)
        self.context.step = None, None

    def _run_python(self) -> None:
        """Run the steps of a Python file, which are one statement as far as we can see.

        Raises:
            MigrationError: a step failed, or the end of an interrupted run is unknown.
        """
        from pgvouch.engine.python_steps import run_steps
        from pgvouch.ledger.yoyo import VouchBackend

        if self.stopped.running:
            raise self.unknown()
        self.announce(Stopped(PYTHON))
        try:
            run_steps(self.task, VouchBackend(self.session.connection, in_transaction=False))
        except MigrationError as exc:
            # Those before the one that failed have committed by themselves.
            exc.explain(hint=self.unknown().hint)
            raise
        self.count_done(0)
        self.announce()

    def _prepare_session(self) -> None:
        """Begin with a clean session; what the file had set before it stopped is set again."""
        asked = self.task.directives
        message = Message().add(*RESET_SESSION)
        # No default for what runs outside of a transaction: a short lock_timeout cancels CREATE
        # INDEX CONCURRENTLY, which blocks no one, and leaves an invalid index.
        message.add(f"set lock_timeout = {literal(asked.lock_timeout or '0')}")
        if timeout := asked.statement_timeout or self.context.options.statement_timeout:
            message.add(f"set statement_timeout = {literal(timeout)}")
        name = application_name_sql(self.task.direction, self.task.id)
        message.add(name.replace("set local", "set", 1))
        done = (step.text for step in self.steps[: self.done])
        message.add(*filter(_SESSION_SET.match, done))
        self.session.run(message.text)

    def _run_inside(self, number: int) -> bool:
        """Run a statement and record it in one transaction; False where it refuses to be in one."""
        marker = self.marker
        head = Message().add(
            f"{marker} begin isolation level read committed read write",
            self.transaction.settings,
            self.done_sql(number),
        )
        if self.task.is_rollback:
            data_loss.add_before(head, self.steps[number].text)
        message = Message([*head.parts, *self._add_statement(Message(), number).parts])
        if not self.task.is_rollback:
            message.add("commit")
        self.transaction.look_out(marker)
        try:
            wanted = head.counted if self.task.is_rollback else 0
            results = self.session.run(message.text, rows_of_first=wanted)
        except QueryError as exc:
            self.session.roll_back()
            # A DO block with COMMIT, a procedure: only the run shows that they commit.
            if exc.server.sqlstate in _NOT_IN_A_BLOCK:
                return False
            raise self._error(message, exc, number) from None
        if self.task.is_rollback:
            self._commit_unless_lost(head, results[: head.counted], number)
        self.count_done(number)
        return True

    def _commit_unless_lost(self, head: Message, results: Sequence[Result], number: int) -> None:
        """Commit a statement of a rollback that has just run, if it loses nothing, or may."""
        statement = self._add_statement(Message(), number)

        def run_again() -> None:
            self.session.run(statement.text, rows_of_first=0)

        try:
            (before,) = head.results_of("before rollback", results)
            looking = Message()
            data_loss.add_after(looking)
            after = looking.results_of(data_loss.AFTER, looking.send(self.session))
            self.lost += data_loss.refuse_loss(
                self.context,
                self.task.id,
                before,
                after,
                run_again,
                hold=self.session.run,
                isolation=ISOLATION[0],
            )
            self.session.run("commit")
        except QueryError as exc:
            raise self._error(statement, exc, number) from None

    def _run_announced(self, number: int) -> None:
        """Run a statement that cannot be in a transaction block, announced beforehand."""
        found = outside(self.steps[number].text)
        with self._clearing():
            before = self._reconciler(found).observe() if found else ""
        self.announce(Stopped(self.written[number], before))
        is_done = False
        if found is not None and found.kind is not Kind.REINDEX:
            is_done = self._clear_away(found) is Landed.YES
        if not is_done:
            self._run_outside(number, found)
        self.count_done(number)
        try:
            self.announce()
        except PlanError:
            statement = excerpt(self.written[number], _SHORT)
            self._note(f"another runner had taken over, so this may have run twice: {statement}")
            raise

    def _run_outside(self, number: int, found: Outside | None) -> None:
        marker = self.marker
        # The server's parser drops the comment, an empty statement: there is still only one.
        message = self._add_statement(Message().add_comment(marker), number)
        self.transaction.look_out(marker)
        self.announce_again_if_late()
        try:
            self.session.run(message.text, rows_of_first=0)
        except QueryError as exc:
            # The server has answered: nothing is announced any more.
            left = self._left_behind(found) if found else _COMMITTED
            refused = Stopped(refused=self.written[number])
            self.announce(refused if found and left else BETWEEN)
            raise self._error(message, exc, number).explain(*left) from None

    def _left_behind(self, found: Outside) -> tuple[str, ...]:
        try:
            return self._reconciler(found).left_behind()
        except QueryError:  # what is reported is the error of the statement
            return ("the next run looks whether it has left something half done",)

    def _reconcile(self) -> None:
        """Find out what became of the statement that an earlier run has stopped in.

        Raises:
            MigrationError: its end is unknown, or what it left cannot be cleared away.
            DriftError: it was done, and has changed in the file.
            PlanError: another runner has taken over.
        """
        stopped = self.stopped
        if stopped == BETWEEN:
            return
        self.announce(stopped)  # fails where another runner has taken over
        is_more = self.done < len(self.steps)
        next_one = self.steps[self.done].text if is_more else None
        if stopped.running is not None:
            self._reconcile_running(stopped.running, next_one)
        elif stopped.refused is not None:
            self._reconcile_refused(stopped.refused, next_one)
        self.announce()

    def _reconcile_running(self, running: str, next_one: str | None) -> None:
        is_same = next_one is not None and running == self.written[self.done]
        statement = next_one if next_one is not None and is_same else running
        if (found := outside(statement)) is None:
            raise self.unknown()
        with self._clearing():
            reconciled = self._reconciler(found).reconcile(statement, self.stopped.before)
        landed = self._told(reconciled)
        if not is_same:
            self._tell_left_behind(found)
        if landed is Landed.UNKNOWN:
            raise self.unknown()
        if landed is Landed.YES and not is_same:
            raise DriftError(
                f"{self.task.id} stopped in a statement that was done after all, and it has "
                "changed in the file",
                self.place_of_next(),
                excerpt(running),
                hint=f"put it back as it was: {running.splitlines()[0]}; or take back what it did, "
                f"and pgvouch repair {self.task.id} --redo",
            )
        if landed is Landed.YES:
            self.count_done(self.done)

    def _reconcile_refused(self, refused: str, next_one: str | None) -> None:
        """Clear away what a refused statement left; the file may have been corrected since."""
        wanted = outside(next_one) if next_one is not None else None
        # What is in the ledger is without the values of variables, and may not parse.
        found = outside(refused) or wanted
        if found is None:
            return
        landed = self._clear_away(found)
        if found != wanted:
            self._tell_left_behind(found)
        elif landed is Landed.YES:
            self.count_done(self.done)

    def _clear_away(self, found: Outside) -> Landed:
        with self._clearing():
            reconciled = self._reconciler(found).clear_away()
        return self._told(reconciled)

    def _tell_left_behind(self, found: Outside) -> None:
        """Tell what stays half done of a statement that the file does not have any more."""
        with self._clearing():
            left = self._reconciler(found).left_behind()
        for note in left:
            self._note(note)

    def _told(self, reconciled: Reconciled) -> Landed:
        for note in reconciled.notes:
            self._note(note)
        return reconciled.landed

    def _reconciler(self, found: Outside) -> Reconciler:
        return Reconciler(self.session, found, self.marker)

    @contextmanager
    def _clearing(self) -> Iterator[None]:
        try:
            yield
        except QueryError as exc:
            said = f"what was left half done cannot be cleared away: {exc.server.primary}"
            raise self.own_error(exc, said) from None

    def _note(self, text: str) -> None:
        self.context.listener(Note(f"{self.task.id}: {text}"))

    def _add_statement(self, message: Message, number: int) -> Message:
        source, step = self.task.source, self.steps[number]
        offset = source.rendered.source_offset(step.start)
        rendered = type(source.rendered)(step.text, secrets=source.rendered.secrets)
        return message.add_source(Source(source.path, source.text, rendered, offset), 1, "body")

    def _error(self, message: Message, exc: QueryError, number: int) -> VouchError:
        if exc.server.sqlstate == lease.TAKEN_OVER:
            return self.own_error(exc, "")
        error = self.transaction.error(message, exc)
        if error.statement is None:  # a deferred constraint failed at the commit
            error.place = self.task.source.place(self.steps[number].start)
            error.statement = excerpt(self.written[number])
        name = self.task.source.path.name
        return error.explain(
            hint=f"correct {name} from that statement on; pgvouch rollback --from-files then goes "
            "on there"
            if self.task.is_rollback
            else "correct the file from that statement on; the same command then goes on there"
        )
