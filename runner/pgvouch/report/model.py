"""A report, as values: what the page shows, and what --json prints."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pgvouch.delta.fold import Comparison
from pgvouch.operations.history import HistoryEntry
from pgvouch.report.tables import Table

if TYPE_CHECKING:
    from pgvouch.report.diagram import Diagram


@dataclass(frozen=True, slots=True)
class Promise:
    """A check, and what came of it."""

    kind: str
    """`check`, `check none`, `check error 42501` or `same`."""
    sentence: str
    actors: tuple[str, ...]
    """In whose place it is run."""
    place: str
    """The file and the line, seen from the folder of the migrations."""
    until: str | None = None
    """The later migration that retires it."""
    verdict: str | None = None
    """`holds`, `broken` or `unjudged`, where it was run for the report."""
    found: str | None = None
    """What was found instead."""

    @property
    def lead(self) -> str:
        """What makes a promise of the sentence where it says what must not be, or not change."""
        leads = {"check none": "none", "check error": "refused", "same": "unchanged"}
        return next((word for kind, word in leads.items() if self.kind.startswith(kind)), "")


@dataclass(frozen=True, slots=True)
class Entry:
    """A migration, in the files or in the ledger."""

    id: str
    state: str
    """As `status` has it."""
    applied_at: datetime | None
    applied_by: str | None
    duration_ms: float | None
    checks: int | None
    """How many promises were verified as it was applied."""
    is_of_platform: bool
    has_rollback: bool
    irreversible: str | None
    """Why there is no way back."""
    promises: tuple[Promise, ...]
    delta: tuple[str, ...] | None
    """What it did to the catalog, or is to do; None where that is not written down."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a database."""

    database: str
    server: str | None
    """The version of PostgreSQL; None where there is no such database yet."""
    entries: tuple[Entry, ...]
    always: tuple[Promise, ...]
    """What is promised whatever is applied."""
    history: tuple[HistoryEntry, ...]
    """The newest first."""
    tables: tuple[Table, ...]
    """The live schema, without what belongs to the platform."""
    is_verified: bool = False
    """Whether the promises were run, and the catalog was compared, for the report."""
    comparison: Comparison | None = None

    @property
    def diagrams(self) -> "tuple[Diagram, ...]":
        """The live schema as pictures, one for each schema."""
        from pgvouch.report.diagram import draw

        schemas = sorted({table.schema for table in self.tables})
        return tuple(
            draw(s, [table for table in self.tables if table.schema == s]) for s in schemas
        )

    @property
    def promises(self) -> tuple[Promise, ...]:
        """All of them."""
        return (*(p for entry in self.entries for p in entry.promises), *self.always)

    @property
    def standing(self) -> tuple[str, str]:
        """How it stands, the worst first: `bad`, `wait` or `good`, and in words."""
        wrong = self.count("changed", "missing", "incomplete", "undoing")
        differing = len(self.comparison.differing) if self.comparison else 0
        for count, tone, words in (
            (self.verdicts("broken"), "bad", "broken"),
            (wrong, "bad", "to look at"),
            (differing, "bad", "not as made"),
            (self.verdicts("unjudged"), "wait", "not judged"),
            (self.count("pending"), "wait", "pending"),
        ):
            if count:
                return tone, f"{count} {words}"
        return "good", "up to date"

    def count(self, *states: str) -> int:
        """Return how many migrations are in one of these states."""
        return sum(entry.state in states for entry in self.entries)

    def verdicts(self, verdict: str | None) -> int:
        """Return how many promises came to this verdict; None: they were not run."""
        return sum(promise.verdict == verdict for promise in self.promises)

    def as_dict(self) -> dict[str, Any]:
        """Return it as what a JSON document is made of."""
        document = _plain(asdict(self))
        assert isinstance(document, dict)
        return document

    @staticmethod
    def page(reports: "Sequence[Report]", made_at: datetime) -> str:
        """Return reports as one HTML page that needs nothing else.

        Args:
            reports: of one database or of several.
            made_at: the time that the page shows; nothing else differs between two pages of the
                same state.
        """
        from pgvouch.report.page import render_page

        return render_page(reports, made_at)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value
