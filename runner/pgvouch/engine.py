"""Runs a plan: each migration, its checks and its ledger row in one transaction."""

import time
from collections.abc import Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from pgvouch import aftermath, failure, ledger, verify
from pgvouch.blockers import Watch
from pgvouch.catalog import add_snapshot, compare_delta, read_snapshot
from pgvouch.db import QueryError, Session
from pgvouch.delta import Snapshot, difference
from pgvouch.errors import PlanError
from pgvouch.events import Finished, Listener, Started
from pgvouch.message import RESET_ROLE, Message
from pgvouch.options import Options
from pgvouch.plan import State
from pgvouch.prepare import Prepared
from pgvouch.transaction import LedgerMovedError, Transaction
from pgvouch.verify import Rows
from pgvouch.waiting import persistently, told_blockers

if TYPE_CHECKING:
    from pgvouch.backend import VouchBackend


class Deltas(Enum):
    """What is done with the catalog deltas of a run."""

    COMPARED = "compared"
    """Taken and compared where there is a .delta file."""
    TAKEN = "taken"
    """Taken of every migration, and compared where there is a file."""
    RECORDED = "recorded"
    """Taken of every migration to be written into a file, compared with none."""


class Engine:
    """Applies prepared migrations over one session."""

    def __init__(
        self,
        session: Session,
        options: Options,
        listener: Listener,
        *,
        deltas: Deltas = Deltas.COMPARED,
    ) -> None:
        self.session = session
        self.options = options
        self.listener = listener
        self.watch = Watch(session.conninfo, told_blockers(listener))
        session.while_waiting = self.watch
        self.deltas = deltas
        self.landed: list[str] = []
        self.unflushed = False
        self.transaction: Transaction | None = None
        """The one that is under way, or was the last."""
        self.snapshots: dict[str, Snapshot] = {}
        """The catalog before each migration, where a snapshot was taken."""

    @property
    def backend(self) -> "VouchBackend":
        """yoyo's backend, on the connection as it is now."""
        # yoyo and what it imports cost a third of a run that has nothing to do.
        from pgvouch.backend import VouchBackend

        return VouchBackend(self.session.connection)

    def migrate(self, prepared: Sequence[Prepared], *, commit: bool = True) -> list[Finished]:
        """Apply migrations in order.

        Args:
            prepared: what to apply.
            commit: False leaves everything in one open transaction, for a rehearsal.

        Returns:
            What was done; a migration that another runner was quicker with is left out.

        Raises:
            VouchError: one failed; its `state` says what landed before it.
        """
        together = self.options.single_transaction or not commit
        try:
            if not (together and commit):
                return self._all(prepared, together=together, commit=commit)
            return persistently(
                self.session,
                self.options,
                self.listener,
                "all of it",
                lambda: self._all(prepared, together=True, commit=True),
            )
        finally:
            self.flush()
            self.watch.close()

    def _all(self, prepared: Sequence[Prepared], *, together: bool, commit: bool) -> list[Finished]:
        finished: list[Finished] = []
        self.landed.clear()
        for number, item in enumerate(prepared):
            identifier = item.migration.id
            first, last = number == 0, number == len(prepared) - 1
            run = partial(
                self._one,
                item,
                begins=first or not together,
                commits=commit and (last or not together),
                flush=last,
            )
            with aftermath.told(self, identifier, "migrate", self.landed, together=together):
                done = (
                    run()
                    if together
                    else persistently(self.session, self.options, self.listener, identifier, run)
                )
            if done is not None:
                finished.append(done)
                self.landed.append(identifier)
        return finished

    def flush(self) -> None:
        """Make sure that what is said to have landed is on disk, where the last one failed."""
        if self.unflushed:
            self.session.try_run(
                "begin; set local synchronous_commit = on; "
                "select pg_catalog.pg_current_xact_id(); commit"
            )
            self.unflushed = False

    def _one(self, item: Prepared, *, begins: bool, commits: bool, flush: bool) -> Finished | None:
        self.listener(Started(item.migration.id, "migrate"))
        transaction = Transaction(
            self.session,
            self.options,
            self.listener,
            item.migration.id,
            item.script,
            "migrate",
            self.watch,
            begins=begins,
            commits=commits,
        )
        self.transaction = transaction
        try:
            if item.script.transactional:
                done = self._apply(transaction, item, flush=flush)
            else:
                done = self._apply_stepwise(transaction, item)
            self.unflushed = commits and not flush
            return self._tell(done)
        except LedgerMovedError:
            if begins and commits:
                return None
            raise PlanError(
                f"another runner has applied {item.migration.id} in the meantime",
                hint="run the same command again: it plans anew",
            ) from None
        except BaseException:
            self.session.try_run("rollback")
            raise

    def _apply(self, transaction: Transaction, item: Prepared, *, flush: bool) -> Finished:
        began = time.perf_counter()
        wants_delta = self.deltas is not Deltas.COMPARED or item.expected_delta is not None
        message = transaction.opening()
        if item.migration.directives.unless:
            if self._is_provided(transaction, message, item):
                return self._record_provided(transaction, item, began, flush=flush)
            message = Message()
        verify.add_before(message, item.promises)
        if wants_delta:
            add_snapshot(message)
        before, snapshot = self._run_body(transaction, message, item, wants_delta)
        verdict_count, delta = self._judge(transaction, item, before, snapshot)
        if delta is not None and self.deltas is not Deltas.RECORDED:
            compare_delta(item, delta)
        duration_ms = (time.perf_counter() - began) * 1000
        transaction.finish(
            *self.backend.mark_sql(item.migration.id),
            ledger.forget_sql(item.migration.id),
            _record(item, State.APPLIED, duration_ms, verdict_count, delta),
            verified=item.promises is not None or wants_delta,
            flush=flush,
        )
        return Finished(item.migration.id, "applied", duration_ms, verdict_count, delta)

    def _apply_stepwise(self, transaction: Transaction, item: Prepared) -> Finished:
        from pgvouch.stepwise import apply_stepwise

        if item.migration.directives.unless:
            began = time.perf_counter()
            if self._is_provided(transaction, transaction.opening(), item):
                return self._record_provided(transaction, item, began, flush=True)
            self.session.run("rollback")
        return apply_stepwise(self, item)

    def _run_body(
        self, transaction: Transaction, message: Message, item: Prepared, wants_delta: bool
    ) -> tuple[list[Rows], Snapshot | None]:
        """Send the opening and the migration itself, in one message where it is SQL."""
        if not item.migration.is_python:
            message.add_source(item.script.source, None, "body")
        results = transaction.send(message) if transaction.xid else transaction.open(message)
        before = verify.before_values(message, results, item.promises)
        snapshot = read_snapshot(message, results) if wants_delta else None
        if item.migration.is_python:
            from pgvouch.python_steps import run_steps

            run_steps(item.migration, self.backend, "apply")
            transaction.refuse_ended()
        return before, snapshot

    def _judge(
        self,
        transaction: Transaction,
        item: Prepared,
        before: Sequence[Rows],
        snapshot: Snapshot | None,
    ) -> tuple[int, tuple[str, ...] | None]:
        """Run the promises and the second snapshot; return the checks passed and the delta."""
        if item.promises is None and snapshot is None:
            return 0, None
        message = Message().add(*RESET_ROLE)
        if snapshot is not None:
            add_snapshot(message)
        try:
            results, verdict = verify.run(
                self.session, message, item.promises, before, settings=transaction.settings
            )
        except QueryError as exc:
            raise transaction.error(message, exc) from None
        if verdict.broken:
            raise failure.check_error(item.migration.id, verdict.broken)
        if snapshot is None:
            return verdict.passed, None
        self.snapshots[item.migration.id] = snapshot
        return verdict.passed, difference(snapshot, read_snapshot(message, results))

    def _is_provided(self, transaction: Transaction, message: Message, item: Prepared) -> bool:
        condition = item.migration.directives.unless
        message.add(f"select ({condition}\n)::boolean", name="unless")
        results = transaction.open(message)
        return message.results_of("unless", results)[0].rows[0][0] == "t"

    def _record_provided(
        self, transaction: Transaction, item: Prepared, began: float, *, flush: bool
    ) -> Finished:
        duration_ms = (time.perf_counter() - began) * 1000
        transaction.finish(
            *self.backend.mark_sql(item.migration.id),
            ledger.forget_sql(item.migration.id),
            _record(item, State.PROVIDED, duration_ms, 0, None),
            verified=False,
            flush=flush,
        )
        return Finished(item.migration.id, "provided", duration_ms)

    def _tell(self, event: Finished) -> Finished:
        self.listener(event)
        return event


def _record(
    item: Prepared,
    state: State,
    duration_ms: float,
    checks: int,
    delta: tuple[str, ...] | None,
) -> str:
    provided = state is State.PROVIDED
    return ledger.record_sql(
        item.migration.id,
        state,
        checksum=item.migration.checksum,
        # What was not run is not rolled back either.
        rollback_sql=None if provided else item.rollback_sql,
        irreversible=item.migration.directives.irreversible,
        transactional=item.script.transactional,
        duration_ms=duration_ms,
        checks_passed=checks,
        delta=delta,
    )
