"""What happens during a run, as values. The engine emits them; text and JSON are two listeners."""

from collections.abc import Callable
from dataclasses import dataclass

from pgvouch.errors import Place


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A run is about to begin: what it is going to run, in order. Told once."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """A migration or rollback begins."""

    id: str
    direction: str
    """`migrate` or `rollback`."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A migration or rollback landed.

    In a rehearsal, and in a single transaction ahead of its commit: it ran, and its checks hold.
    """

    id: str
    outcome: str
    """`applied`, `provided`, `rolled back`; `left` where a rollback finds what the database had
    already; `restored` where it brings back what a repeatable migration was before."""
    duration_ms: float
    checks: int = 0
    delta: tuple[str, ...] | None = None
    """The catalog delta, a line per object; None where it was not asked for."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """PostgreSQL sent a notice while a migration ran."""

    severity: str
    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something is in the way and we try again."""

    text: str
    remaining_s: float | None
    """For how much longer; None where the server's lock_timeout decides."""
    about: str | None = None
    """What is waited for, where the text also holds what changes with time."""


@dataclass(frozen=True, slots=True)
class Note:
    """A fact worth a line: a ledger taken over, a database ahead of its files."""

    text: str


@dataclass(frozen=True, slots=True)
class Doubted:
    """A file holds something that is allowed but hardly meant."""

    text: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Running:
    """A migration or rollback has been running for a while, and goes on.

    Told a few times a second while the server is at work. What is not known is None.
    """

    id: str
    elapsed_s: float
    """Since it began, pauses in which it gave way to others included."""
    statement: int | None = None
    """Which of its statements runs, from 1: known of one that runs statement by statement. Those of
    a transaction are sent as one message, and the server does not tell how far it is."""
    statements: int | None = None
    """How many statements it has, where `statement` is known."""
    doing: str | None = None
    """What PostgreSQL reports of itself, after the first second: `CREATE INDEX on public.orders:
    building index: scanning table`."""
    percent: float | None = None
    """How much of that is done, where PostgreSQL counts it; a new phase begins at 0."""


Event = Scheduled | Started | Finished | Notice | Waiting | Note | Doubted | Running
Listener = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Listen to nothing."""
