"""Migrations that one file has taken the place of: a database that has them has it. Pure."""

from collections.abc import Mapping, Sequence

from pgvouch.errors import Place, PlanError
from pgvouch.files.migration import Migration
from pgvouch.ledger.rows import Applied, State


def squashed_by(files: Sequence[Migration]) -> dict[str, Migration]:
    """Return the migrations that are squashed, by identifier, each with what has its place."""
    return {name: file for file in files for line in file.directives.squashes for name in line}


def with_squashed(files: Sequence[Migration], applied: Sequence[Applied]) -> list[Applied]:
    """Return the ledger's rows as the files know them.

    Where all that a file squashes is applied, its row stands in the place of the last of them.

    Args:
        files: every migration of the database.
        applied: the ledger's rows.
    """
    by = squashed_by(files)
    if not by:
        return list(applied)
    whole = _whole(files, applied)
    last = {by[row.id].id: row for row in applied if row.id in by and by[row.id].id in whole}
    found = []
    for row in applied:
        squash = by.get(row.id)
        if squash is None or squash.id not in whole:
            found.append(row)
        elif last[squash.id] is row:
            found.append(
                Applied(
                    squash.id,
                    State.APPLIED,
                    squash.checksum,
                    row.applied_at,
                    row.applied_by,
                    order=row.order,
                )
            )
    return found


def refuse_partly_squashed(files: Sequence[Migration], applied: Sequence[Applied]) -> None:
    """Refuse a database that has some of what a file squashes and not the rest.

    Raises:
        PlanError: naming the first that is missing.
    """
    begun, done = {row.id for row in applied}, _done(applied)
    for file in files:
        # The line of which most is there: another one may share some of it.
        names = max(file.directives.squashes, key=lambda line: len(begun & {*line}), default=())
        there = done.intersection(names)
        if begun.intersection(names) and file.id not in begun and len(there) < len(names):
            missing = next(name for name in names if name not in done)
            raise PlanError(
                f"{file.id} squashes {len(names)} migrations, and {len(there)} of them are applied "
                f"here: {missing} is not",
                Place(file.path),
                state="Nothing was run.",
                hint="migrate this database with the release before the squash, which has all of "
                "them; then with this one",
            )


def _whole(files: Sequence[Migration], applied: Sequence[Applied]) -> Mapping[str, Migration]:
    done = _done(applied)
    return {
        file.id: file
        for file in files
        if any(done.issuperset(line) for line in file.directives.squashes)
    }


def _done(applied: Sequence[Applied]) -> set[str]:
    return {row.id for row in applied if row.state in {State.APPLIED, State.PROVIDED}}
