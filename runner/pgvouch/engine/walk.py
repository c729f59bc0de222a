"""One way through a non-transactional script: claimed in the ledger, resumed where it stopped."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pgvouch.config.options import Options
from pgvouch.engine.locks import LockedError, under_lock
from pgvouch.engine.losses import Loss
from pgvouch.engine.prepare import Script
from pgvouch.engine.steps import settle, take_step
from pgvouch.engine.transaction import LedgerMovedError, Transaction
from pgvouch.errors import DriftError, MigrationError, Place, PlanError, VouchError
from pgvouch.events import Listener
from pgvouch.files.migration import Migration
from pgvouch.ledger import lease
from pgvouch.ledger.lease import BETWEEN, Claim, Stopped
from pgvouch.ledger.rows import Applied, State
from pgvouch.postgres.message import (
    RESET_SESSION,
    Message,
    application_name_sql,
    literal,
    marker_of,
)
from pgvouch.postgres.session import ConnectionLost, QueryError, Session
from pgvouch.sqltext.place import excerpt
from pgvouch.sqltext.statements import Statement, statements

if TYPE_CHECKING:
    from pgvouch.engine.run import Engine

_SESSION_SET = re.compile(r"(?:set|reset)\s+(?!local\b|constraints\b|transaction\b)", re.IGNORECASE)
PYTHON = "the steps of a Python file"


def statements_of(script: Script) -> tuple[list[Statement], list[str]]:
    """Return the statements of a script, and each as its author wrote it.

    What is kept in the ledger is the latter: it is without the values of variables. A Python file
    is one statement as far as we can see, and none that could be sent.
    """
    source = script.source
    if source.path.suffix == ".py":
        return [], [PYTHON]
    steps = statements(source.rendered.text)
    return steps, [source.original(s.start, s.start + len(s.text)) for s in steps]


def keep_untouched(
    session: Session, options: Options, listener: Listener, rows: Sequence[Applied]
) -> None:
    """Let migrations be applied again whose rollback was killed before it took anything back.

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


def _refuse_alive(session: Session, found: Claim) -> None:
    if found.token is None:
        return
    worker = lease.worker(session, found)
    if worker or found.is_recent:
        raise LockedError(worker)


@dataclass
class Walk:
    """One way through the statements of a non-transactional migration or rollback.

    It is a context: when what is inside fails, the claim is given up, and the error says how far
    the way went.
    """

    engine: "Engine"
    transaction: Transaction
    """In which the promises and the last row of the ledger will be."""
    token: str = ""
    done: int = 0
    progress: str = lease.NOTHING_DONE
    stopped: Stopped = BETWEEN
    """The statement outside of a transaction that is under way, here or in a run that stopped."""

    def __post_init__(self) -> None:
        self.lost: list[Loss] = []
        self.announced_at = 0.0
        self.script = self.transaction.script
        self.identifier = self.transaction.identifier
        self.steps, self.written = statements_of(self.script)

    def __enter__(self) -> Self:
        """Claim the migration, waiting for another runner that is at work on it."""
        found = under_lock(
            self.session,
            self.engine.options,
            self.engine.listener,
            self._try_claim,
            state=f"Nothing of {self._what} was run.",
        )
        if found is not None:
            self.done, self.progress, self.stopped = found.done, found.progress, found.stopped
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Give the claim up where something failed, so that the next run need not wait.

        Raises:
            LedgerMovedError: another runner had taken over, and has done all of it.
            PlanError: another runner has taken over.
        """
        if error is None:
            return
        self.session.roll_back()
        if isinstance(error, VouchError):
            self._look_at_ledger(error)
        self.session.try_run(lease.release_sql(self.identifier, self.token))
        is_untouched = self.is_rollback and not self.done and self.stopped == BETWEEN
        if isinstance(error, VouchError) and error.state is None and not is_untouched:
            error.state = self._state()

    def _look_at_ledger(self, error: VouchError) -> None:
        """Say nothing from memory where the claim is lost: a runner may have been stopped for long.

        Raises:
            LedgerMovedError: another runner has done all of it.
            PlanError: another runner has taken over, and is on its way or has stopped.
        """
        try:
            now = lease.look(self.session, self.identifier)
        except (ConnectionLost, QueryError):
            return
        state, done, token = now or (None, 0, None)
        if token == self.token:
            return
        if state is (None if self.is_rollback else State.APPLIED):
            raise LedgerMovedError from error
        known = (
            f"{done} of its {len(self.steps)} statements are recorded as done"
            if state in {State.INCOMPLETE, State.UNDOING}
            else f"the ledger has it as {state.value}"
            if state
            else "the ledger does not have it any more"
        )
        raise PlanError(
            f"another runner has taken over {self.identifier}",
            state=f"{self.identifier} is not transactional: {known}.",
            hint="run the same command again: it waits for the other one",
        ) from error

    @property
    def session(self) -> Session:
        """The engine's session."""
        return self.engine.session

    def run(self) -> None:
        """Do every statement that is not done yet.

        Raises:
            MigrationError: a statement failed, or nobody can know how an interrupted one ended.
            PlanError: another runner has taken over.
        """
        self._prepare_session()
        settle(self)
        for number in range(self.done, len(self.steps)):
            take_step(self, number)

    def announce(self, stopped: Stopped = BETWEEN) -> None:
        """Record what is about to be run outside of a transaction, or how it has ended.

        Raises:
            PlanError: another runner has taken over.
        """
        self.announced_at = time.monotonic()
        try:
            self.session.run(
                f"{self.marker()} {self._record_sql(self.done, self.progress, stopped)}"
            )
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
        if time.monotonic() - self.announced_at > lease.GRACE_S / 2:
            self.announce(self.stopped)

    def count_done(self, number: int) -> None:
        """Count a statement as done; it is not in the ledger yet."""
        self.done = number + 1
        self.progress = lease.next_progress(self.progress, self.written[number])

    def owned_sql(self) -> str:
        """Return the statement that fails where another runner has taken over."""
        return lease.owned_sql(self.identifier, self.token)

    def place_of_next(self) -> Place:
        """Return the place of the first statement that is not done."""
        step = self.steps[self.done] if self.done < len(self.steps) else None
        return self.script.source.place(step.start if step else 0)

    def unknown(self) -> MigrationError:
        """Return the error for an interrupted statement of which nobody knows how it ended."""
        back = "" if self.is_rollback else ", or --undo (take all of it back)"
        return MigrationError(
            f"nobody can know whether a statement of {self.identifier} was done",
            self.place_of_next(),
            excerpt(self.stopped.running or PYTHON),
            notes=[
                "it was begun outside of a transaction, and ended without an answer",
            ],
            hint="look at what it should have done; then "
            f"pgvouch repair {self.identifier} --done (it was), --redo (it was not){back}",
        )

    @property
    def is_rollback(self) -> bool:
        """Whether the migration is being taken back."""
        return self.transaction.verb == "rollback"

    def _try_claim(self) -> Claim | None:
        """Take the claim in a transaction under the lock; return what it was before."""
        token = lease.new_token()
        self.transaction.try_open(self.transaction.opening())
        try:
            found = lease.read(self.session, self.identifier)
            if found is not None:
                _refuse_alive(self.session, found)
                self._refuse_changed(found)
            state = State.UNDOING if self.is_rollback else State.INCOMPLETE
            self.session.run(lease.take_sql(self.identifier, token, state))
            self.session.run("commit")
        except BaseException:
            self.session.roll_back()
            raise
        self.token = token
        return found

    def _prepare_session(self) -> None:
        """Begin with a clean session; what the file had set before it stopped is set again."""
        message = Message().add(*RESET_SESSION)
        # No default for what runs outside of a transaction: a short lock_timeout cancels CREATE
        # INDEX CONCURRENTLY, which blocks nobody, and leaves an invalid index.
        message.add(f"set lock_timeout = {literal(self.script.lock_timeout or '0')}")
        timeout = self.script.statement_timeout or self.engine.options.statement_timeout
        if timeout:
            message.add(f"set statement_timeout = {literal(timeout)}")
        name = application_name_sql(self.transaction.verb, self.identifier)
        message.add(name.replace("set local", "set", 1))
        message.add(*(s.text for s in self.steps[: self.done] if _SESSION_SET.match(s.text)))
        self.session.run(message.text)

    def run_python(self, migration: Migration, direction: str) -> None:
        """Run the steps of a Python file, which are one statement as far as we can see.

        Raises:
            MigrationError: a step failed, or nobody can know how an interrupted run ended.
        """
        from pgvouch.engine.python_steps import run_steps
        from pgvouch.ledger.yoyo import VouchBackend

        if self.stopped.running:
            raise self.unknown()
        self.announce(Stopped(PYTHON))
        backend = VouchBackend(self.session.connection, in_transaction=False)
        try:
            run_steps(migration, backend, direction)
        except MigrationError as exc:
            # Those before the one that failed have committed by themselves.
            exc.hint = exc.hint or self.unknown().hint
            raise
        self.count_done(0)
        self.announce()

    def marker(self) -> str:
        """Return the comment that every message of this walk begins with."""
        return marker_of(self.transaction.verb, self.identifier, self.token)

    def step_sql(self, number: int) -> str:
        """Return the statement that records a statement as done."""
        progress = lease.next_progress(self.progress, self.written[number])
        return self._record_sql(number + 1, progress, BETWEEN)

    def _record_sql(self, done: int, progress: str, stopped: Stopped) -> str:
        return lease.step_sql(
            self.identifier, self.token, done=done, progress=progress, stopped=stopped
        )

    def _state(self) -> str:
        if not self.steps:
            return f"{self.identifier} is not transactional: what it has committed is there."
        if self.is_rollback:
            return (
                f"The rollback of {self.identifier} is not transactional: {self.done} of its "
                f"{len(self.steps)} statements are done, those after them are not."
            )
        return (
            f"{self.identifier} is not transactional: {self.done} of its {len(self.steps)} "
            "statements are done and in the database, those after them are not."
        )

    @property
    def _what(self) -> str:
        return f"the rollback of {self.identifier}" if self.is_rollback else self.identifier

    def _refuse_changed(self, found: Claim) -> None:
        if found.progress != lease.progress_of(self.written[: found.done]):
            are = "is" if found.done == 1 else "are"
            raise DriftError(
                f"{self.identifier} stopped after {found.done} statements, and these have changed "
                "in the file",
                self.script.source.place(0),
                state=f"Nothing was run. {found.done} of the statements of {self._what} {are} done "
                "and in the database.",
                hint="put the statements that are done back as they were; change only what follows",
            )

    def own_error(self, exc: QueryError, said: str) -> VouchError:
        """Return the error for a statement of our own."""
        if exc.server.sqlstate == lease.TAKEN_OVER:
            return PlanError(
                f"another runner has taken over {self.identifier}",
                hint="run the same command again: it waits for the other one",
            )
        return MigrationError(
            f"{self.identifier}: {said}", self.script.source.place(0), server=exc.server
        )
