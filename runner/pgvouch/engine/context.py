"""What all tasks of one run share: the session, the options, who listens, what was found."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from pgvouch.config.options import Options
from pgvouch.delta.known import Known
from pgvouch.errors import CheckError
from pgvouch.events import Listener, Note, Running
from pgvouch.postgres.blockers import Watch
from pgvouch.postgres.session import Session

if TYPE_CHECKING:
    from pgvouch.ledger.yoyo import VouchBackend

_SILENT_S = 0.5
"""A task that is done by then is told of only when it is done."""


class Scope(Enum):
    """What one transaction holds."""

    EACH = "each"
    """A migration, with its checks and its ledger row."""
    TOGETHER = "together"
    """All of them: the first one begins it, the last one commits."""
    REHEARSAL = "rehearsal"
    """All of them, and the caller rolls it back; it may have begun it, too."""


class Deltas(Enum):
    """What is done with the catalog deltas of a run."""

    COMPARED = "compared"
    """Taken and compared where there is a .delta file."""
    TAKEN = "taken"
    """Taken of every migration, and compared where there is a file."""
    RECORDED = "recorded"
    """Taken of every migration to be written into a file, compared with none."""


@dataclass
class RunContext:
    """What the tasks of one run share."""

    session: Session
    options: Options
    listener: Listener
    deltas: Deltas = Deltas.COMPARED
    differences: list[CheckError] | None = None
    """Where differences of the catalog are kept; None: the first one is raised."""
    xid: str = ""
    """The transaction that is under way, or was the last."""
    written_by: str = ""
    """The transaction of ours that has changed the ledger last, as a row's xmin shows it."""
    is_unflushed: bool = False
    """Whether a commit may not have reached the disk yet."""
    with_values: set[str] = field(default_factory=set)
    """The migrations in whose delta a variable's value stands."""
    noted: set[str] = field(default_factory=set)
    """Notes that were told: what holds for all migrations is said once."""
    rows_written: set[str] = field(default_factory=set)
    """The tables to which the tasks until now had statements that write rows."""
    counts: bool = False
    """Whether it matters what the server has counted in each transaction."""
    counts_are_flushed: bool = False
    """Whether the next transaction's counts begin with it."""
    has_own_backend: bool = False
    """Whether the last transaction was in the backend that the connection was made to."""
    may_prepare: bool = True
    """Whether a statement may stay prepared in a backend that is ours alone."""
    known: Known | None = None
    """The catalog as far as it is known; None where that would be out of date."""
    made: Sequence[str] = ()
    """Sorted lines of a catalog: what repeatable migrations have made. What others do to that is in
    no .delta file, for where a delta is taken it is not there yet."""
    reads_whole: bool = False
    """Whether a delta is to be taken from all of the catalog."""

    step: tuple[int | None, int | None] = (None, None)
    """Which statement of how many is under way, where that is known."""

    def __post_init__(self) -> None:
        self.watch = Watch(self.session.conninfo, self.listener)

    def open(self) -> None:
        """Look from now on, while a statement takes its time, at who is in its way."""
        self.session.while_waiting = self._look

    def begin(self, identifier: str) -> None:
        """Tell from now on that this task runs."""
        self._began = identifier, time.monotonic()

    def _look(self) -> None:
        """See who is in the way of a statement that takes its time, and tell that it runs."""
        self.watch()
        identifier, since_s = self._began
        if (elapsed_s := time.monotonic() - since_s) >= _SILENT_S:
            self.listener(Running(identifier, elapsed_s, *self.step, *self.watch.reported))

    def note(self, text: str) -> None:
        """Tell a note, unless it was told before."""
        if text not in self.noted:
            self.noted.add(text)
            self.listener(Note(text))

    @property
    def backend(self) -> "VouchBackend":
        """yoyo's backend, on the connection as it is now."""
        # yoyo and what it imports cost a third of a run that has nothing to do.
        from pgvouch.ledger.yoyo import VouchBackend

        backend = VouchBackend(self.session.connection)
        backend.comment = self.options.comment
        return backend

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Keep the difference of the catalog that is found inside, where they are kept."""
        try:
            yield
        except CheckError as exc:
            if self.differences is None:
                raise
            self.differences.append(exc)

    def close(self) -> None:
        """Look at who is in the way no more: the run is over."""
        self.session.while_waiting = None
        self.watch.close()

    def flush(self) -> None:
        """Make sure that what is said to have landed is on disk, where the last one failed."""
        if self.is_unflushed:
            self.session.try_run(
                "begin; set local synchronous_commit = on; "
                "select pg_catalog.pg_current_xact_id(); commit"
            )
            self.is_unflushed = False
