"""What was done with the migrations of a database, and by whom."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from pgvouch.ledger import ledger
from pgvouch.ledger.repeatable import read_runs
from pgvouch.postgres.session import Session


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that was done with a migration, as the ledger has kept it."""

    at: datetime
    id: str
    what: str
    """applied, provided, recorded (not run), rolled back, forgotten, or accepted (a changed
    file)."""
    by: str | None
    """The user of the machine that did it."""
    host: str | None
    """That machine."""
    role: str | None
    """The role of the database, where the ledger still has it: of what is applied now."""
    why: str | None = None
    """The reason that was given."""

    @property
    def who(self) -> str:
        """The user and the machine, or else the role."""
        return "@".join(filter(None, (self.by, self.host))) or self.role or ""


def read_history(session: Session) -> list[HistoryEntry]:
    """Return everything that the ledger says was done, the oldest first.

    Of repeatable migrations, the runs that no rollback has taken back. The times of the log are
    those of the machine that did it, and not the server's.

    Raises:
        PlanError: the ledger is not to be believed, or the role may not read it.
    """
    ledger.read(session)  # it refuses what a newer pgvouch has made
    log = ledger.read_log(session)
    found = [
        HistoryEntry(datetime.fromisoformat(at), str(name), str(what), by, host, role, why)
        for at, name, what, by, host, role, why in (log.rows if log else ())
        if at
    ]
    found += [
        HistoryEntry(run.applied.applied_at, run.id, "applied", None, None, run.applied.applied_by)
        for run in read_runs(session)
        if run.applied.applied_at
    ]
    return sorted(found, key=attrgetter("at"))
