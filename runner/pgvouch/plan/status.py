"""What `status` shows: the files beside the ledger. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from pgvouch.config.project import Database
from pgvouch.files.migration import Migration
from pgvouch.ledger.repeatable import Run, in_force
from pgvouch.ledger.rows import Applied, State
from pgvouch.plan.build import ahead_of_files, in_order
from pgvouch.plan.drift import drift
from pgvouch.plan.repeat import due
from pgvouch.plan.squashed import with_squashed


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """One migration, in the files or in the ledger, and what became of it."""

    id: str
    state: str
    """applied, provided, incomplete, undoing, pending, changed, missing or ahead."""
    applied: Applied | None
    migration: Migration | None


def status(
    database: Database, rows: Sequence[Applied], runs: Sequence[Run] = ()
) -> list[MigrationStatus]:
    """Return a row for every migration of the files and of the ledger, in order.

    Args:
        database: the files.
        rows: the ledger's.
        runs: of repeatable migrations, which come last.
    """
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
    return found + _repeatables(database, runs)


def newest(rows: Sequence[Applied]) -> Applied | None:
    """Return the migration that was applied last; one that stopped on its way does not count."""
    whole = [row for row in rows if row.state is not State.INCOMPLETE]
    return max(whole, key=attrgetter("order"), default=None)


def _repeatables(database: Database, runs: Sequence[Run]) -> list[MigrationStatus]:
    known = {name: run.applied for name, run in in_force(runs).items()}
    pending = {migration.id for migration in due(database.repeatables, runs)}
    found = [
        MigrationStatus(m.id, "pending" if m.id in pending else "applied", known.get(m.id), m)
        for m in database.repeatables
    ]
    there = {migration.id for migration in database.repeatables}
    return found + [
        MigrationStatus(name, "ahead", row, None)
        for name, row in known.items()
        if name not in there
    ]
