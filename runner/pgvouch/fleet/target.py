"""A database of a fleet, and what became of it. No I/O."""

from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """What became of a database in a rollout, or how it stands."""

    DONE = "done"
    """Something was done, all of it."""
    CURRENT = "current"
    """There was nothing to do."""
    PENDING = "pending"
    """There is something to do."""
    AHEAD = "ahead"
    """A newer release has migrated it; nothing to do for this one."""
    DRIFTED = "drifted"
    """An applied file has changed or is gone; or the catalog is not what the migrations made."""
    FAILED = "failed"
    """A migration, a check or a rollback failed; nothing of it landed."""
    BUSY = "busy"
    """A lock was not to be had, or another runner was at work for too long."""
    FULL = "full"
    """The server has no connection left, or no room."""
    DOWN = "down"
    """The server does not answer, or ended the connection."""
    REFUSED = "refused"
    """The role may not: a password, a privilege."""
    GONE = "gone"
    """It is not there any more."""
    LEFT = "left"
    """It was not tried: the rollout stopped before."""
    QUEUED = "queued"
    """It waits for a worker."""
    BEGUN = "begun"
    """It is under way; or whoever was at it was killed, and its ledger says how far that came."""


UNTOUCHED = frozenset({State.LEFT, State.QUEUED, State.CURRENT, State.AHEAD, State.GONE})
"""In which a rollout has changed nothing."""


WELL = frozenset({State.DONE, State.CURRENT, State.PENDING, State.AHEAD, State.GONE})
"""What is no failure."""

OPEN = frozenset({State.QUEUED, State.BEGUN})
"""In which something is still to become of it."""
FAILING = frozenset(State) - WELL - OPEN - {State.LEFT}
"""What is a failure, and has ended."""


@dataclass(frozen=True, slots=True)
class Target:
    """One database of a fleet."""

    name: str
    """What it is called, once in the fleet."""
    conninfo: str = field(repr=False)
    """Where it is; it may hold a password, and is never printed or stored."""
    server: str
    """host:port, for the slots of a server and for people."""
    wave: str | None = None
    """The wave that it was given by name."""
    is_template: bool = False
    """New databases are made from it, so it goes first."""
    password_command: tuple[str, ...] = field(default=(), repr=False)
    """Prints the password; empty: what there is of one is in `conninfo`, or where libpq looks."""


_MOST = 2_000
"""Characters of a cause: a server's message may be a megabyte."""


def storable(text: str) -> str:
    """Return what somebody else has said as every store can keep it: no null byte, not too long."""
    kept = text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return kept if len(kept) <= _MOST else f"{kept[:_MOST]} …"


@dataclass(frozen=True, slots=True)
class Job:
    """A database that something is to be done in."""

    target: Target
    is_again: bool = False
    """Whether it was begun before, and how that ended is not known."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one database."""

    target: str
    state: State
    seconds: float = 0.0
    version: str | None = None
    """The newest migration that is applied, where it is known."""
    finished: tuple[str, ...] = ()
    """What was done: the identifiers of the migrations."""
    pending: int = 0
    """How many migrations are still to be applied."""
    cause: str | None = None
    """Why it failed, in one line, equal for equal causes."""
    notes: tuple[str, ...] = ()
    """More about it."""

    def __post_init__(self) -> None:
        """Have a cause that can be kept."""
        if self.cause:
            object.__setattr__(self, "cause", storable(self.cause))

    @property
    def is_well(self) -> bool:
        """Whether it is no failure."""
        return self.state in WELL
