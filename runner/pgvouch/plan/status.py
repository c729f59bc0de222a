"""What `status` shows: the files beside the ledger. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass

from pgvouch.config.project import Database
from pgvouch.files.migration import Migration
from pgvouch.ledger.rows import Applied, State
from pgvouch.plan.build import ahead_of_files, in_order
from pgvouch.plan.drift import drift
from pgvouch.plan.squashed import with_squashed


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """One migration, in the files or in the ledger, and what became of it."""

    id: str
    state: str
    """applied, provided, incomplete, undoing, pending, changed, missing or ahead."""
    applied: Applied | None
    migration: Migration | None


def status(database: Database, rows: Sequence[Applied]) -> list[MigrationStatus]:
    """Return a row for every migration of the files and of the ledger, in order."""
    rows = with_squashed(database.migrations, rows)
    changed = {finding.row.id: finding for finding in drift(database.migrations, rows)}
    ahead = set(ahead_of_files(database.migrations, rows))
    by_id = database.by_id
    found = []
    for row in rows:
        state = row.state.value
        if row.id in changed:
            state = "changed" if changed[row.id].found else "missing"
        elif row.id in ahead and row.state not in {State.INCOMPLETE, State.UNDOING}:
            state = "ahead"
        found.append(MigrationStatus(row.id, state, row, by_id.get(row.id)))
    known = {row.id for row in rows}
    ordered = in_order(database.migrations)
    found += [MigrationStatus(m.id, "pending", None, m) for m in ordered if m.id not in known]
    return found
