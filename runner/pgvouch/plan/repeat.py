"""Which repeatable migrations are to be run, and which texts a rollback brings back. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pgvouch.files.migration import Migration
from pgvouch.ledger.repeatable import Run, in_force
from pgvouch.ledger.rows import Applied


def due(files: Sequence[Migration], runs: Sequence[Run]) -> list[Migration]:
    """Return what is to be run: what is new or has changed, and what depends on that.

    Args:
        files: in the order in which they are run.
        runs: the ledger's.
    """
    known = in_force(runs)
    found: dict[str, Migration] = {}
    for file in files:
        run, depends = known.get(file.id), file.directives.depends
        # An earlier run may have ended between what it depends on and itself.
        is_behind = run and not any(d in found or known[d].order > run.order for d in depends)
        if not (is_behind and run and run.checksum == file.checksum):
            found[file.id] = file
    return list(found.values())


def made(runs: Sequence[Run]) -> list[str]:
    """Return the lines, sorted, of what the runs have made, whatever has become of it."""
    return sorted({line[2:] for run in runs for line in run.delta if line.startswith("+ ")})


@dataclass(frozen=True, slots=True)
class Restored:
    """What becomes of a repeatable migration when migrations before it are rolled back."""

    run: Run
    """In force now."""
    earlier: Run | None
    """To be in force; None: it is taken away."""


def restored(
    rows: Sequence[Applied], gone: Sequence[Applied], runs: Sequence[Run]
) -> list[Restored]:
    """Return the repeatable migrations whose text came with migrations that are rolled back.

    Args:
        rows: the ledger's rows, before.
        gone: those that are to be rolled back.
        runs: of repeatable migrations.

    Returns:
        First what is taken away, the newest first; then the texts that come back, in order.
    """
    leaving = {row.id for row in gone}
    staying = {row.id for row in rows} - leaving
    found = []
    for run in in_force(runs).values():
        if run.after is None or run.after in staying:
            continue
        before = [r for r in runs if r.id == run.id and (r.after is None or r.after in staying)]
        found.append(Restored(run, before[-1] if before else None))
    removed = sorted((r for r in found if r.earlier is None), key=lambda r: -r.run.order)
    back = sorted(
        (r for r in found if r.earlier), key=lambda r: r.earlier.order if r.earlier else 0
    )
    return [*removed, *back]
