"""Makes a project of ours from another tool's: its files, and what its ledger says is applied."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgvouch.adopt import compare
from pgvouch.adopt.asking import Asking
from pgvouch.adopt.history import ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.layout import LaidOut, lay_out
from pgvouch.adopt.record import Entry, record
from pgvouch.adopt.tool import Tool
from pgvouch.adopt.tools import recognised
from pgvouch.adopt.writing import migrations_in, put_in_place, refuse_migrations, written
from pgvouch.config.options import Options
from pgvouch.engine.commands import create_ledger
from pgvouch.errors import FileError, Gathered, Place, RefusedError, UsageError
from pgvouch.events import Listener
from pgvouch.files.folder import read_folder, read_text
from pgvouch.files.migration import checksum
from pgvouch.ledger import ledger
from pgvouch.postgres.session import Session


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is to be taken over, with every file read and found sound."""

    tool: Tool
    history: History
    laid_out: tuple[LaidOut, ...]
    into: Path
    """The folder of ours."""
    not_carried: tuple[NotCarried, ...]
    is_there: bool
    """Whether all files of ours are there already."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """What was taken over, or would be."""

    adoption: Adoption
    wrote_files: bool = False
    ledger: ForeignLedger | None = None
    """None where there is none, or it was not looked for."""
    applied: tuple[tuple[LaidOut, Recorded], ...] = ()
    recorded: int = 0
    """How many were recorded; 0 where all were there already."""
    known: frozenset[str] = field(default=frozenset())


def plan(project: Path, name: str | None, into: Path) -> Adoption:
    """Read a project of another tool, and say what becomes of it. Nothing is written.

    Args:
        project: its folder, or that of its migrations.
        name: of the tool; None finds out.
        into: where our files go.

    Raises:
        UsageError: it is of no known tool, or of several.
        FileError: something that cannot be taken over; RefusedError lists several.
    """
    tool, folder = recognised(project, name)
    history = tool.read(folder)
    needed = [one for one in history.not_carried if one.is_needed]
    if needed:
        errors = [FileError(one.what, one.place) for one in needed]
        raise errors[0] if len(errors) == 1 else RefusedError(errors)
    laid_out, notes = lay_out(history)
    if not laid_out:
        raise UsageError(f"{folder.name} holds no migration of {tool.title}", Place(folder))
    files = {name: text for item in laid_out for name, text in item.files.items()}
    with written(files, into) as scratch:
        notes += _refused(scratch, laid_out, into)
    is_there = _are_there(into, files)
    return Adoption(tool, history, tuple(laid_out), into, tuple(notes), is_there)


def adopt(
    adoption: Adoption,
    session: Session | None,
    options: Options,
    listener: Listener,
    *,
    named: str | None = None,
    writes_files: bool = True,
    is_dry: bool = False,
) -> Adopted:
    """Write our files, and record what the tool's ledger says is applied.

    Args:
        adoption: what `plan` has found.
        session: the database; None leaves ledgers alone.
        options: how long to wait for another runner.
        listener: told of waiting.
        named: what the user calls the ledger.
        writes_files: False where they are to be there already.
        is_dry: nothing is written.

    Raises:
        PlanError: the ledger does not agree with the files, or is in use.
        UsageError: files of ours that are to be there are not.
    """
    if not writes_files and not adoption.is_there:
        raise UsageError(
            f"the files are not in {adoption.into.name}/ yet",
            Place(adoption.into),
            state="Nothing was adopted.",
            hint="adopt them first: the same command with --files-only; then review and commit",
        )
    write = writes_files and not adoption.is_there

    def write_files() -> None:
        if write:
            _write(adoption)

    if session is None:
        if not is_dry:
            write_files()
        return Adopted(adoption, write)
    asking = Asking(session, named)
    found = adoption.tool.ledger(asking, adoption.history)

    def look() -> list[tuple[LaidOut, Recorded]]:
        its = adoption.tool.ledger(asking, adoption.history)
        return [] if its is None else _applied(adoption, its)

    applied = look()
    known = frozenset(row.id for row in ledger.read(session) or ())
    if is_dry or found is None:
        if not is_dry:
            write_files()
        return Adopted(adoption, write, found, tuple(applied), 0, known)
    create_ledger(session, options, listener)
    recorded = record(
        session,
        lambda: [_entry(adoption.tool, *pair) for pair in look()],
        tool=adoption.tool,
        table=found.table,
        ahead_of_commit=write_files,
    )
    return Adopted(adoption, write, found, tuple(applied), recorded, known)


def _applied(adoption: Adoption, its: ForeignLedger) -> list[tuple[LaidOut, Recorded]]:
    return compare.applied(adoption.tool, adoption.history, adoption.laid_out, its)


def _entry(tool: Tool, item: LaidOut, row: Recorded) -> Entry:
    return Entry(
        item.id,
        item.checksum,
        item.rollback,
        is_transactional=item.is_transactional,
        at=row.at,
        by=tool.name,
    )


def _refused(folder: Path, laid_out: Sequence[LaidOut], into: Path) -> Iterator[NotCarried]:
    """Yield what our own reading refuses in the files; nothing is adopted that cannot be read.

    Raises:
        FileError: the folder as a whole cannot be read.
    """
    from pgvouch.engine.task import prepare

    by_id = {item.id: item for item in laid_out}
    for migration in read_folder(folder):
        gathered = Gathered()
        with gathered.gather():
            prepare([migration], {}, require_promises=False)
        foreign = by_id[migration.id].foreign
        for error in gathered.errors:
            if not isinstance(error, FileError):
                continue  # a variable without a value, which `migrate` gets
            line = error.place.line if error.place else None
            where = f"{into.name}/{error.place.path.name}" if error.place else migration.id
            said = f"{where}{f':{line}' if line else ''}: {error.message}"
            yield NotCarried(Place(foreign.path), said)


def _are_there(into: Path, files: dict[str, str]) -> bool:
    """Say whether all files of ours are there, and no others.

    Raises:
        UsageError: the folder holds something else.
    """
    there = migrations_in(into)
    # The ends of lines may have come out of version control otherwise.
    same = {
        name
        for name in there & files.keys()
        if checksum(read_text(into / name)) == checksum(files[name])
    }
    if there and same >= files.keys():
        return True
    refuse_migrations(into)
    return False


def _write(adoption: Adoption) -> None:
    files = {n: text for item in adoption.laid_out for n, text in item.files.items()}
    with written(files, adoption.into) as scratch:
        put_in_place(scratch, adoption.into)
