"""What is to be done: a pure function of files, ledger rows and a target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pgvouch.errors import DriftError, Gathered, Place, PlanError
from pgvouch.files.migration import Migration
from pgvouch.files.version import Version
from pgvouch.ledger.rows import Applied, State
from pgvouch.sqltext.near import nearest

_Item = TypeVar("_Item", Migration, Applied)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `migrate` would do."""

    pending: tuple[Migration, ...]
    ahead: tuple[str, ...] = ()
    """Applied by a newer release, whose files are not here."""


def ahead_of_files(files: Sequence[Migration], applied: Sequence[Applied]) -> tuple[str, ...]:
    """Return what a newer release has applied: numbers above every file of the same set."""
    ids = {migration.id for migration in files}
    strangers = [row for row in applied if row.id not in ids]
    newest: dict[str, Version] = {}
    for migration in files if strangers else ():
        known = newest.get(migration.set_name, migration.version)
        newest[migration.set_name] = max(known, migration.version)

    def is_ahead(row: Applied) -> bool:
        version, top = Version.of(row.id), newest.get(row.set_name)
        return version is not None and (top is None or version > top)

    return tuple(row.id for row in strangers if is_ahead(row))


def forward(
    files: Sequence[Migration],
    applied: Sequence[Applied],
    *,
    to: str | None = None,
    out_of_order: bool = False,
) -> Plan:
    """Return what is to be applied, in order.

    Args:
        files: every migration of the database, platform sets first.
        applied: the ledger.
        to: the last migration to apply (identifier or number); None means all.
        out_of_order: allow a number below the newest applied one.

    Raises:
        DriftError: one that stopped without a transaction has a transactional file now.
        PlanError: an unknown target or dependency, a cycle, or an order that is refused.
    """
    _refuse_undoing(applied)
    _refuse_begun_otherwise(files, applied)
    done = {row.id for row in applied if row.state is not State.INCOMPLETE}
    ordered = in_order(files)
    if to is not None:
        target = find(ordered, to)
        ordered = ordered[: ordered.index(target) + 1]
    pending = tuple(migration for migration in ordered if migration.id not in done)
    if pending and not out_of_order:
        _refuse_out_of_order(pending, applied)
    return Plan(pending, ahead_of_files(files, applied))


def _refuse_undoing(applied: Sequence[Applied]) -> None:
    undoing = (row for row in applied if row.state is State.UNDOING)
    if stopped := next((row for row in undoing if not row.is_untouched), None):
        raise PlanError(
            f"the rollback of {stopped.id} stopped after {stopped.statements_done or 0} statements",
            state="Nothing was run.",
            hint="pgvouch rollback goes on with it (with --from-files, if its file had to be "
            "corrected); migrate applies it again after that",
        )


def _refuse_begun_otherwise(files: Sequence[Migration], applied: Sequence[Applied]) -> None:
    """Refuse to run as a whole what has been run in part."""
    half_done = {row.id: row for row in applied if row.is_half_done}
    for migration in files:
        if (row := half_done.get(migration.id)) and migration.directives.transactional:
            raise begun_otherwise(row, Place(migration.path), "pgvouch migrate")


def begun_otherwise(row: Applied, place: Place, command: str) -> DriftError:
    """Return the error for a file that is transactional now and was begun without a transaction."""
    return DriftError(
        f"{row.id} stopped after {row.statements_done or 0} statements without a transaction, and "
        "its file is transactional now",
        place,
        state="Nothing was run.",
        hint=f"put `-- transactional: false` back into its header; then {command} goes on with it",
    )


def _refuse_out_of_order(pending: Sequence[Migration], applied: Sequence[Applied]) -> None:
    newest: dict[str, tuple[Version, str]] = {}
    for row in applied:
        version = Version.of(row.id)
        if version and row.state is not State.INCOMPLETE:
            here = (version, row.id)
            newest[row.set_name] = max(newest.get(row.set_name, here), here)
    for migration in pending:
        top = newest.get(migration.set_name)
        if top and migration.version < top[0]:
            raise PlanError(
                f"{migration.id} comes before {top[1]}, which is applied already",
                Place(migration.path),
                state="Nothing was run.",
                hint=f"give it a number above {top[0].number}; or, if the order does not matter, "
                "pgvouch migrate --out-of-order",
            )


def backward(
    applied: Sequence[Applied], *, steps: int | None = None, to: str | None = None
) -> list[Applied]:
    """Return what is to be rolled back, newest first.

    Args:
        applied: the ledger, in the order in which it was applied.
        steps: how many; None means all, unless `to` is given.
        to: the migration that is to be the newest one afterwards.

    Raises:
        PlanError: an unknown target, fewer steps than one, or a migration that stopped on its way.
    """
    if steps is not None and steps < 1:
        raise PlanError(f"{steps} migrations cannot be rolled back", hint="say how many: 1, 2 …")
    if stopped := next((row for row in applied if row.state is State.INCOMPLETE), None):
        raise PlanError(
            f"{stopped.id} stopped after {stopped.statements_done or 0} statements",
            state="Nothing was rolled back.",
            hint="pgvouch migrate goes on with it; or, to roll back what is done, "
            f"pgvouch repair {stopped.id} --undo",
        )
    newest_first = sorted(applied, key=lambda row: row.order, reverse=True)
    if to is not None:
        target = find(newest_first, to)
        return newest_first[: newest_first.index(target)]
    return newest_first if steps is None else newest_first[:steps]


def find(items: Sequence[_Item], wanted: str) -> _Item:
    """Return the item of an identifier, a stem or a number.

    Raises:
        PlanError: there is none, or more than one.
    """
    near = _called(items, wanted)
    if len(near) == 1:
        return near[0]
    if near:
        raise PlanError(f"{wanted} is one of {', '.join(item.id for item in near)}: which?")
    meant = nearest(wanted, [item.id for item in items])
    raise PlanError(
        f"there is no migration {wanted}",
        notes=[f"did you mean {meant}?"] if meant else [],
        hint="pgvouch status lists them",
    )


def _called(items: Sequence[_Item], wanted: str) -> list[_Item]:
    if exact := [item for item in items if item.id == wanted]:
        return exact[:1]
    if not wanted.isdecimal():
        return [item for item in items if item.id.rpartition("/")[2] == wanted]
    numbered = [(Version.of(item.id), item) for item in items]
    near = [item for version, item in numbered if version and version.number == int(wanted)]
    # A bare number means the database's own migration before one of a platform set.
    return [item for item in near if not item.set_name] or near


def in_order(files: Sequence[Migration]) -> list[Migration]:
    """Return the migrations in an order that keeps every dependency, by number otherwise.

    Raises:
        PlanError: a dependency that is not there, or a cycle.
    """
    by_id = {migration.id: migration for migration in files}
    squashed = {name: m.id for m in files for line in m.directives.squashes for name in line}
    gathered = Gathered()
    needs: dict[str, list[Migration]] = {}
    for migration in files:
        if names := migration.directives.depends:
            with gathered.gather():
                needs[migration.id] = [
                    _dependency(by_id, squashed, migration, name) for name in names
                ]
    gathered.refuse()
    at = {migration.id: number for number, migration in enumerate(files)}
    if all(at[needed.id] < at[own] for own, others in needs.items() for needed in others):
        return list(files)
    # Importing yoyo costs a third of a run that has nothing to do, and few folders need the sort.
    from yoyo.topologicalsort import CycleError, topological_sort

    try:
        return list(topological_sort(list(files), {m: needs.get(m.id, []) for m in files}))
    except CycleError as exc:
        circle = ", ".join(migration.id for migration in exc.args[1])
        raise PlanError(
            f"these migrations depend on each other in a circle: {circle}",
            hint="take a name that makes the circle out of a `-- depends:` line",
        ) from exc


def _dependency(
    by_id: dict[str, Migration], squashed: dict[str, str], migration: Migration, name: str
) -> Migration:
    own = f"{migration.set_name}/{name}" if migration.set_name else name
    needed = by_id.get(own) or by_id.get(name) or by_id.get(squashed.get(name, ""))
    if needed is None:
        raise PlanError(
            f"{migration.id} depends on {name}, which is not here",
            Place(migration.path),
            hint="correct the -- depends: line, or add the file",
        )
    return needed
