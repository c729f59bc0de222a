"""How far a non-transactional file is: leased in the ledger, resumed where a run stopped."""

import time
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self

from pgvouch.config.options import Options
from pgvouch.engine.transaction import Transaction
from pgvouch.errors import DriftError, MigrationError, Place, PlanError, VouchError
from pgvouch.events import Listener
from pgvouch.ledger import lease
from pgvouch.ledger.lease import BETWEEN, Lease, Stopped
from pgvouch.ledger.lock import LedgerMovedError, LockedError, under_lock
from pgvouch.ledger.rows import Applied, State
from pgvouch.postgres.pooling import marker_of
from pgvouch.postgres.session import ConnectionLost, QueryError, Session
from pgvouch.sqltext.place import excerpt
from pgvouch.sqltext.statements import statements

PYTHON = "the steps of a Python file"


def keep_untouched(
    session: Session, options: Options, listener: Listener, rows: Sequence[Applied]
) -> None:
    """Let migrations be applied again whose rollback was killed before it rolled anything back.

    Raises:
        ConnectError: a runner is at work on such a rollback, and the wait is spent.
    """

    def keep(identifier: str) -> None:
        if (found := lease.read(session, identifier)) is not None:
            _refuse_alive(session, found)
            session.run(lease.release_sql(identifier, found.token or ""))

    for row in rows:
        if row.is_untouched:
            again = partial(keep, row.id)
            under_lock(session, options, listener, again, state="Nothing was run.")


def _refuse_alive(session: Session, found: Lease) -> None:
    if found.token is None:
        return
    worker = lease.worker(session, found)
    if worker or found.is_recent:
        raise LockedError(worker)


class Progress:
    """How far a non-transactional migration or rollback is.

    It is a context: it takes the lease; when what is inside fails, the lease is given up, and the
    error says how much is done.
    """

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.context, self.session = transaction.context, transaction.session
        self.task = transaction.task
        # A Python file is one statement as far as we can see, and none that could be sent.
        is_python, source = self.task.is_python, self.task.source
        self.steps = [] if is_python else statements(source.rendered.text)
        self.written = [PYTHON] if is_python else [source.written(step) for step in self.steps]
        """Each as its author wrote it, without the values of variables: the ledger keeps these."""
        self.token = ""
        self.done = 0
        self.checksum = lease.NOTHING_DONE
        """Of the statements that are done."""
        self.stopped: Stopped = BETWEEN
        """The statement outside of a transaction block that is under way, here or in a run that
        stopped."""
        self._announced_at_s = 0.0

    def __enter__(self) -> Self:
        """Lease the migration, waiting for another runner that is at work on it."""
        options, listener = self.context.options, self.context.listener
        state = f"Nothing of {self.task.what} was run."
        found = under_lock(self.session, options, listener, self._try_lease, state=state)
        if found is not None:
            self.done, self.checksum, self.stopped = found.done, found.progress, found.stopped
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Give the lease up where something failed, so that the next run need not wait.

        Raises:
            LedgerMovedError: another runner had taken over, and has done all of it.
            PlanError: another runner has taken over.
        """
        if error is None:
            return
        self.session.roll_back()
        if isinstance(error, VouchError):
            self._look_at_ledger(error)
        self.session.try_run(lease.release_sql(self.task.id, self.token))
        is_untouched = self.task.is_rollback and not self.done and self.stopped == BETWEEN
        if isinstance(error, VouchError) and not is_untouched:
            error.explain(state=self._state())

    def _look_at_ledger(self, error: VouchError) -> None:
        """Say nothing from memory where the lease is lost: a runner may have been stopped for long.

        Raises:
            LedgerMovedError: another runner has done all of it.
            PlanError: another runner has taken over, and is on its way or has stopped.
        """
        try:
            now = lease.read(self.session, self.task.id, of_any_state=True)
        except (ConnectionLost, QueryError):
            return
        if now and now.token == self.token:
            return
        state = now.state if now else None
        if state is (None if self.task.is_rollback else State.APPLIED):
            raise LedgerMovedError from error
        known = (
            f"{now.done} of its {len(self.steps)} statements are recorded as done"
            if now and state in {State.INCOMPLETE, State.UNDOING}
            else f"the ledger has it as {now.state.value}"
            if now
            else "the ledger does not have it any more"
        )
        raise self._taken_over().explain(
            state=f"{self.task.id} is not transactional: {known}."
        ) from error

    def _try_lease(self) -> Lease | None:
        """Take the lease in a transaction under the lock; return what it was before."""
        token = lease.new_token()
        self.transaction.try_open(self.transaction.opening())
        try:
            found = lease.read(self.session, self.task.id)
            if found is not None:
                _refuse_alive(self.session, found)
                self._refuse_changed(found)
            state = State.UNDOING if self.task.is_rollback else State.INCOMPLETE
            self.session.run(lease.take_sql(self.task.id, token, state))
            self.session.run("commit")
        finally:
            self.session.roll_back()
        self.token = token
        return found

    def _refuse_changed(self, found: Lease) -> None:
        if found.progress == lease.progress_of(self.written[: found.done]):
            return
        are = "is" if found.done == 1 else "are"
        raise DriftError(
            f"{self.task.id} stopped after {found.done} statements, and these have changed in the "
            "file",
            self.task.source.place(0),
            state=f"Nothing was run. {found.done} of the statements of {self.task.what} {are} done "
            "and in the database.",
            hint="put the statements that are done back as they were; change only what follows",
        )

    def announce(self, stopped: Stopped = BETWEEN) -> None:
        """Record what is about to be run outside of a transaction block, or how it has ended.

        Raises:
            PlanError: another runner has taken over.
        """
        self._announced_at_s = time.monotonic()
        try:
            self.session.run(f"{self.marker} {self._record_sql(self.done, self.checksum, stopped)}")
        except QueryError as exc:
            raise self.own_error(
                exc, f"the ledger cannot be written: {exc.server.primary}"
            ) from None
        self.stopped = stopped

    def announce_again_if_late(self) -> None:
        """Make sure that what was announced is still ours to run, where that was long ago.

        Raises:
            PlanError: we were taken for dead, and another runner has taken over.
        """
        if time.monotonic() - self._announced_at_s > lease.GRACE_S / 2:
            self.announce(self.stopped)

    def count_done(self, number: int) -> None:
        """Count a statement as done; it is not in the ledger yet."""
        self.done = number + 1
        self.checksum = lease.next_progress(self.checksum, self.written[number])

    def done_sql(self, number: int) -> str:
        """Return the statement that records a statement as done."""
        progress = lease.next_progress(self.checksum, self.written[number])
        return self._record_sql(number + 1, progress, BETWEEN)

    def _record_sql(self, done: int, progress: str, stopped: Stopped) -> str:
        return lease.step_sql(
            self.task.id, self.token, done=done, progress=progress, stopped=stopped
        )

    @property
    def marker(self) -> str:
        """The comment that every message begins with, by which other runners see that we live."""
        return marker_of(self.task.direction, self.task.id, self.token)

    def place_of_next(self) -> Place:
        """Return the place of the first statement that is not done."""
        step = self.steps[self.done] if self.done < len(self.steps) else None
        return self.task.source.place(step.start if step else 0)

    def _state(self) -> str:
        if not self.steps:
            return f"{self.task.id} is not transactional: what it has committed is there."
        of, there = (
            (f"The rollback of {self.task.id}", "")
            if self.task.is_rollback
            else (self.task.id, " and in the database")
        )
        done, total = self.done, len(self.steps)
        said = f"{done} of its {total} statements {'is' if done == 1 else 'are'}"
        rest = ", the others are not."
        if done == total:
            said, rest = "all of its statements are", "."
        if done == 0:
            said, there, rest = "none of its statements is", "", "."
        return f"{of} is not transactional: {said} done{there}{rest}"

    def unknown(self) -> MigrationError:
        """Return the error for an interrupted statement whose end is unknown."""
        back = "" if self.task.is_rollback else ", or --undo (take all of it back)"
        return MigrationError(
            f"it cannot be known whether a statement of {self.task.id} was done",
            self.place_of_next(),
            excerpt(self.stopped.running or PYTHON),
            notes=["it was begun outside of a transaction, and ended without an answer"],
            hint="look at what it should have done; then "
            f"pgvouch repair {self.task.id} --done (it was), --redo (it was not){back}",
        )

    def own_error(self, exc: QueryError, said: str) -> VouchError:
        """Return the error for one of our statements, as opposed to the author's."""
        if exc.server.sqlstate == lease.TAKEN_OVER:
            return self._taken_over()
        return MigrationError(
            f"{self.task.id}: {said}", self.task.source.place(0), server=exc.server
        )

    def _taken_over(self) -> PlanError:
        return PlanError(
            f"another runner has taken over {self.task.id}",
            hint="run the same command again: it waits for the other runner",
        )
