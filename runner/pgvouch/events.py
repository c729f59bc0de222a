"""What happens during a run, as values. The engine emits them; text and JSON are two listeners."""

from collections.abc import Callable
from dataclasses import dataclass

from pgvouch.errors import Place


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
    """A statement has been running for a while, and goes on."""


Event = Started | Finished | Notice | Waiting | Note | Doubted | Running
Listener = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Listen to nothing."""
