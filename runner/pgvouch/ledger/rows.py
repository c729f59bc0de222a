"""What the ledger says of a migration, as a value. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class State(Enum):
    """What the ledger says of a migration."""

    APPLIED = "applied"
    PROVIDED = "provided"
    """Its `unless` held: the database had it already, nothing was run."""
    INCOMPLETE = "incomplete"
    """A non-transactional migration that stopped on its way."""
    UNDOING = "undoing"
    """A non-transactional rollback that stopped on its way."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A row of the ledger."""

    id: str
    state: State
    checksum: str | None = None
    """None for what stock yoyo applied: it keeps no checksum."""
    applied_at: datetime | None = None
    applied_by: str | None = None
    duration_ms: float | None = None
    checks: int | None = None
    has_rollback: bool = False
    statements_done: int | None = None
    running: str | None = None
    """The statement outside of a transaction that got no answer, or that left something."""
    is_recorded: bool = True
    """Whether yoyo's own table has it: what is on its way for the first time is not there."""
    order: int = 0

    @property
    def is_half_done(self) -> bool:
        """Whether statements of it are done, or one is under way, or has left something."""
        has_begun = bool(self.statements_done) or self.running is not None
        return has_begun and self.state in {State.INCOMPLETE, State.UNDOING}

    @property
    def is_untouched(self) -> bool:
        """Whether its rollback has begun and taken nothing back, so that it is still applied."""
        return self.state is State.UNDOING and not self.is_half_done and self.is_recorded

    @property
    def set_name(self) -> str:
        """The platform set it belongs to, or an empty string."""
        return self.id.rpartition("/")[0]
