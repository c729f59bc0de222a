"""Runs a plan: each migration, its checks and its ledger row in one transaction."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pgvouch.config.options import Options
from pgvouch.delta.snapshot import Snapshot
from pgvouch.engine import in_doubt
from pgvouch.engine.atomic import apply, is_provided, record_provided
from pgvouch.engine.locks import persistently
from pgvouch.engine.prepare import Prepared
from pgvouch.engine.transaction import LedgerMovedError, Transaction
from pgvouch.errors import CheckError, PlanError
from pgvouch.events import Finished, Listener, Running, Started
from pgvouch.ledger.rows import State
from pgvouch.postgres.blockers import Watch, told_blockers
from pgvouch.postgres.session import Session

if TYPE_CHECKING:
    from pgvouch.ledger.yoyo import VouchBackend

T = TypeVar("T")


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
        differences: list[CheckError] | None = None,
    ) -> None:
        self.session = session
        self.options = options
        self.listener = listener
        self.watch = Watch(session.conninfo, told_blockers(listener))
        session.while_waiting = self._look
        self.takes_every_delta = deltas is not Deltas.COMPARED
        self.compares_deltas = deltas is not Deltas.RECORDED
        self.differences = differences
        """Where differences of the catalog are kept; None: the first one is raised."""
        self.landed: list[str] = []
        self.recorded: int | None = None
        """How many migrations the ledger had when the run began, where that was counted."""
        self.unflushed = False
        self.transaction: Transaction | None = None
        """The one that is under way, or was the last."""
        self.with_values: set[str] = set()
        """The migrations in whose delta a variable's value stands."""
        self.snapshots: dict[str, Snapshot] = {}
        """The catalog before each migration, where a snapshot was taken."""

    def _look(self) -> None:
        """See who is in the way of a statement that takes its time, and tell that it runs."""
        self.watch()
        self.listener(Running())

    @property
    def backend(self) -> "VouchBackend":
        """yoyo's backend, on the connection as it is now."""
        # yoyo and what it imports cost a third of a run that has nothing to do.
        from pgvouch.ledger.yoyo import VouchBackend

        return VouchBackend(self.session.connection)

    def migrate(
        self, prepared: Sequence[Prepared], *, commit: bool = True, recorded: int | None = None
    ) -> list[Finished]:
        """Apply migrations in order.

        Args:
            prepared: what to apply.
            recorded: how many migrations the ledger has now; when another runner changes that
                otherwise than by applying these, the run stops.
            commit: False leaves everything in one open transaction, for a rehearsal.

        Returns:
            What was done; a migration that another runner was quicker with is left out.

        Raises:
            VouchError: one failed; its `state` says what landed before it.
        """
        self.recorded = recorded
        together = self.options.single_transaction or not commit
        try:
            if not (together and commit):
                return self._all(prepared, recorded, together=together, commit=commit)
            return self.persist(
                "all of it", lambda: self._all(prepared, recorded, together=True, commit=True)
            )
        finally:
            self.flush()
            self.watch.close()

    def _all(
        self,
        prepared: Sequence[Prepared],
        recorded: int | None,
        *,
        together: bool,
        commit: bool,
    ) -> list[Finished]:
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
                recorded=None if recorded is None else recorded + number,
            )
            with in_doubt.told(self, identifier, "migrate", self.landed, together=together):
                done = run() if together else self.persist(identifier, run)
            if done is not None:
                finished.append(done)
                if done.outcome == State.APPLIED.value:
                    self.landed.append(identifier)
        return finished

    def persist(self, identifier: str, action: Callable[[], T]) -> T:
        """Run a whole transaction, and again when others were in its way.

        Raises:
            VouchError: the last attempt's error.
        """
        return persistently(self.session, self.options, self.listener, identifier, action)

    @contextmanager
    def comparing(self) -> Iterator[None]:
        """Keep the difference that is found inside, where they are kept."""
        try:
            yield
        except CheckError as exc:
            if self.differences is None:
                raise
            self.differences.append(exc)

    def flush(self) -> None:
        """Make sure that what is said to have landed is on disk, where the last one failed."""
        if self.unflushed:
            self.session.try_run(
                "begin; set local synchronous_commit = on; "
                "select pg_catalog.pg_current_xact_id(); commit"
            )
            self.unflushed = False

    def _one(
        self, item: Prepared, *, begins: bool, commits: bool, flush: bool, recorded: int | None
    ) -> Finished | None:
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
            recorded=recorded,
        )
        self.transaction = transaction
        try:
            done = self._apply(transaction, item, flush=flush)
            self.unflushed = commits and not flush
            self.listener(done)
        except LedgerMovedError:
            if begins and commits:
                return None
            raise PlanError(
                f"another runner has applied {item.migration.id} in the meantime",
                hint="run the same command again: it plans anew",
            ) from None
        except BaseException:
            self.session.roll_back()
            raise
        return done

    def _apply(self, transaction: Transaction, item: Prepared, *, flush: bool) -> Finished:
        if item.script.transactional:
            return apply(self, transaction, item, flush=flush)
        from pgvouch.engine.stepwise import apply_stepwise
        from pgvouch.ledger import lease

        if item.migration.directives.unless:
            began = time.perf_counter()
            is_there = is_provided(transaction, transaction.opening(), item)
            # What is on its way may have made by itself what its `unless` looks for.
            if is_there and lease.read(self.session, item.migration.id) is None:
                return record_provided(self, transaction, item, began, flush=True)
            self.session.run("rollback")
        return apply_stepwise(self, transaction, item)
