"""Applied files that have changed, are gone or have another name: found, and what to do then."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pgvouch.errors import DriftError, Place, PlanError
from pgvouch.files.migration import Migration
from pgvouch.ledger.rows import Applied, State
from pgvouch.plan.build import ahead_of_files, find


@dataclass(frozen=True, slots=True)
class Drift:
    """An applied migration whose file has changed, has another name, or is gone."""

    row: Applied
    found: str | None = None
    """The checksum of the file as it is now."""
    place: Place | None = None
    renamed: Migration | None = None
    """The file of another name that holds the same text."""
    previous: str | None = None
    """What was applied before it."""
    is_newest: bool = False
    """Whether nothing was applied after it."""


def drift(files: Sequence[Migration], applied: Sequence[Applied]) -> list[Drift]:
    """Return the applied migrations whose files changed or vanished, in ledger order."""
    by_id = {migration.id: migration for migration in files}
    ahead = set(ahead_of_files(files, applied))
    renamed = _renamed(files, applied) if any(row.id not in by_id for row in applied) else {}
    last = max((row.order for row in applied), default=0)
    found = []
    previous: str | None = None
    for row in applied:
        migration = by_id.get(row.id)
        if migration is None:
            other = renamed.get(row.checksum or "")
            if other or row.id not in ahead:
                place = Place(other.path) if other else None
                found.append(Drift(row, None, place, other, previous))
        elif (
            row.checksum != migration.checksum
            and row.checksum is not None
            # What counts there is the statements that are done.
            and row.state not in {State.INCOMPLETE, State.UNDOING}
        ):
            is_newest = row.order == last
            found.append(Drift(row, migration.checksum, Place(migration.path), is_newest=is_newest))
        previous = row.id
    return found


def _renamed(files: Sequence[Migration], applied: Sequence[Applied]) -> dict[str, Migration]:
    """Return the files that are not applied and hold what is applied under one other name."""
    known = {row.id for row in applied}
    times = Counter(row.checksum for row in applied)
    return {m.checksum: m for m in files if m.id not in known and times[m.checksum] == 1}


def refuse_drift(findings: Sequence[Drift]) -> None:
    """Refuse to go on over drift.

    Raises:
        DriftError: naming every finding, and what to do about the first one.
    """
    if not findings:
        return
    first = findings[0]
    raise DriftError(
        _headline(first),
        first.place,
        notes=[_note(item) for item in findings],
        state="Nothing was run.",
        hint=_hint(first),
    )


def find_applied(rows: Sequence[Applied], files: Sequence[Migration], wanted: str) -> Applied:
    """Return the ledger's row of an identifier, a stem or a number.

    Raises:
        PlanError: there is none, or more than one, or it is the name of a pending migration.
    """
    try:
        return find(rows, wanted)
    except PlanError:
        known = {row.id for row in rows}
        pending = [migration for migration in files if migration.id not in known]
        if wanted not in {name for m in pending for name in (m.id, m.stem)}:
            raise
    raise PlanError(
        f"{wanted} is not applied, so there is no change to accept",
        hint="pgvouch migrate applies it; where the database has it already, `-- unless: "
        "<condition>` in its header has it recorded and not run",
    )


def _headline(item: Drift) -> str:
    if item.found:
        return f"{item.row.id} was applied and its file has changed since"
    if item.renamed:
        return f"{item.row.id} was applied and its file is called {item.renamed.id} now"
    return f"{item.row.id} was applied and its file is gone"


def _note(item: Drift) -> str:
    row = item.row
    when = f"applied {row.applied_at:%Y-%m-%d %H:%M:%S}Z" if row.applied_at else "applied"
    if row.applied_by:
        when += f" by {row.applied_by}"
    if item.found:
        return (
            f"{item.row.id}: {when} as {_short(row.checksum)}, the file is now {_short(item.found)}"
        )
    if item.renamed:
        return (
            f"{item.row.id}: {when}; {item.renamed.id} holds the same text ({_short(row.checksum)})"
        )
    return f"{item.row.id}: {when}, and there is no such file while newer ones are here"


def _hint(item: Drift) -> str:
    if item.found:
        again = "; or, before anyone else has it, pgvouch redo" if item.is_newest else ""
        return (
            "put the file back as it was (git log -p shows what has changed); or, if the change is "
            f'harmless, pgvouch accept {item.row.id} --why "…"{again}'
        )
    if item.renamed:
        name = f"{item.row.id}{item.renamed.path.suffix}"
        return (
            f"rename it back to {name}, and its rollback and its files in verify/ too: the ledger "
            "knows it by that name"
        )
    back = "bring it back from version control (git log --diff-filter=D --stat shows where it went)"
    if not item.row.has_rollback:
        return back
    what = f"rollback --to {item.previous}" if item.previous else "rollback --all"
    return (
        f"{back}; or roll it back, and all that came after it, with what the ledger has stored: "
        f"pgvouch {what}"
    )


def _short(checksum: str | None) -> str:
    return "unknown" if checksum is None else f"sha256:{checksum[:12]}"
