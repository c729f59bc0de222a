"""Makes a project of ours from another tool's: its files, and what its ledger says is applied."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgvouch.adopt import compare
from pgvouch.adopt.asking import Asking
from pgvouch.adopt.history import ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.layout import LaidOut, lay_out
from pgvouch.adopt.record import Entry, record
from pgvouch.adopt.text import as_ours
from pgvouch.adopt.tool import Tool
from pgvouch.adopt.tools import recognised
from pgvouch.adopt.writing import migrations_in, put_in_place, refuse_migrations, written
from pgvouch.config.options import Options
from pgvouch.engine.commands import create_ledger
from pgvouch.errors import FileError, Gathered, Place, RefusedError, UsageError
from pgvouch.events import Listener
from pgvouch.files.actors import Actors
from pgvouch.files.folder import read_folder, read_rollback, read_text
from pgvouch.files.migration import checksum
from pgvouch.files.repeatable import read_repeatables
from pgvouch.ledger import ledger
from pgvouch.ledger.repeatable import ensure_table, in_force, read_runs
from pgvouch.postgres.session import Session
from pgvouch.sqltext.scan import tokens


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
    tool, history = _history(project, name)
    return _planned(tool, history, into)


def _planned(tool: Tool, history: History, into: Path) -> Adoption:
    laid_out, notes = lay_out(history)
    files = {name: text for item in laid_out for name, text in item.files.items()}
    with written(files, into) as scratch:
        notes += _refused(scratch, laid_out, into)
    is_there = _are_there(into, files)
    return Adoption(tool, history, tuple(laid_out), into, tuple(notes), is_there)


def plan_in_place(project: Path, name: str | None) -> Adoption:
    """Read a project whose files pgvouch can run where they are. Nothing is written.

    Args:
        project: its folder, or that of its migrations.
        name: of the tool; None finds out.

    Raises:
        UsageError: they cannot be run as they are; or as `plan` does.
        FileError: as `plan` does.
    """
    tool, history = _history(project, name)
    try:
        there = {migration.path: migration for migration in read_folder(history.folder)}
    except FileError as exc:
        raise _not_in_place(tool, history, exc.message) from None
    laid_out = []
    for foreign in history.migrations:
        ours = there.pop(foreign.path, None)
        if ours is None or foreign.is_repeatable:
            raise _not_in_place(tool, history, f"{foreign.path.name} is none of ours")
        if ours.directives.transactional is not as_ours(foreign.up).is_transactional:
            why = f"{foreign.path.name} would need `-- transactional: false` at its head"
            raise _not_in_place(tool, history, why)
        if foreign.variables or not (foreign.is_python or _words(foreign.up) == _words(ours.sql)):
            why = f"{tool.title} does not run {foreign.path.name} as it is written"
            raise _not_in_place(tool, history, why)
        rollback, digest = read_rollback(ours), ours.checksum
        is_transactional = ours.directives.transactional
        laid_out.append(
            LaidOut(foreign, ours.id, ours.sql, rollback, None, is_transactional, digest)
        )
    if there:
        raise _not_in_place(tool, history, f"{tool.title} leaves {min(there).name} out")
    notes = tuple(history.not_carried)
    return Adoption(tool, history, tuple(laid_out), history.folder, notes, is_there=True)


def _words(sql: str) -> list[str]:
    """Return what PostgreSQL reads of a text: all but blanks and comments."""
    try:
        return [sql[one.start : one.end] for one in tokens(sql)]
    except SyntaxError:  # PostgreSQL names the place, when it is run
        return [sql]


def _not_in_place(tool: Tool, history: History, why: str) -> UsageError:
    return UsageError(
        f"pgvouch cannot run these files of {tool.title} where they are: {why}",
        Place(history.folder),
        state="Nothing was adopted.",
        hint="leave --in-place out: the files are written anew, and the old ones stay",
    )


def _history(project: Path, name: str | None) -> tuple[Tool, History]:
    tool, folder = recognised(project, name)
    history = tool.read(folder)
    needed = [one for one in history.not_carried if one.is_needed]
    if needed:
        errors = [FileError(one.what, one.place) for one in needed]
        raise errors[0] if len(errors) == 1 else RefusedError(errors)
    if not history.migrations and tool.with_rows is None:
        raise _refuse_empty(tool, history)
    return tool, history


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
    asking = None if session is None else Asking(session, named)
    found = None if asking is None else adoption.tool.ledger(asking, adoption.history)
    adoption = _completed(adoption, found, writes_files=writes_files)
    write = writes_files and not adoption.is_there

    def write_files() -> None:
        if write:
            _write(adoption)

    if session is None or asking is None:
        if not is_dry:
            write_files()
        return Adopted(adoption, write)

    def look() -> list[tuple[LaidOut, Recorded]]:
        its = adoption.tool.ledger(asking, adoption.history)
        return [] if its is None else _applied(adoption, its)

    applied = look()
    known = _known(session)
    if is_dry or found is None:
        if not is_dry:
            write_files()
        return Adopted(adoption, write, found, tuple(applied), 0, known)
    create_ledger(session, options, listener)
    if any(item.foreign.is_repeatable for item in adoption.laid_out):
        ensure_table(session)
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


def _refuse_empty(tool: Tool, history: History) -> UsageError:
    folder = history.folder
    return UsageError(f"{folder.name} holds no migration of {tool.title}", Place(folder))


def _completed(adoption: Adoption, its: ForeignLedger | None, *, writes_files: bool) -> Adoption:
    """Return all that is to be adopted, with what only the ledger has.

    Raises:
        UsageError: it is nothing, or files of ours that are to be there are not.
    """
    if its is not None:
        adoption = _with_rows(adoption, its)
    if not adoption.laid_out:
        raise _refuse_empty(adoption.tool, adoption.history)
    if not writes_files and not adoption.is_there:
        raise UsageError(
            f"the files are not in {adoption.into.name}/ yet",
            Place(adoption.into),
            state="Nothing was adopted.",
            hint="adopt them first: the same command with --files-only; then review and commit",
        )
    return adoption


def _with_rows(adoption: Adoption, its: ForeignLedger) -> Adoption:
    """Add what only the ledger has, where it keeps the SQL.

    Raises:
        UsageError: the files were adopted without it.
    """
    with_rows = adoption.tool.with_rows
    history = with_rows(adoption.history, its.rows) if with_rows else adoption.history
    if history == adoption.history:
        return adoption
    if adoption.into == history.folder:
        why = f"{its.table.quoted} has migrations that there are no files of"
        raise _not_in_place(adoption.tool, history, why)
    try:
        return _planned(adoption.tool, history, adoption.into)
    except UsageError as exc:
        if adoption.is_there:
            exc.message = (
                f"{its.table.quoted} has migrations that there are no files of, and the files "
                f"in {adoption.into.name}/ were adopted without it"
            )
            exc.hint = (
                "empty that folder, and adopt once without --files-only and --ledger-only: these "
                "files are written from the ledger"
            )
        raise


def _entry(tool: Tool, item: LaidOut, row: Recorded) -> Entry:
    return Entry(
        item.id,
        item.checksum,
        item.rollback,
        is_transactional=item.is_transactional,
        at=row.at,
        by=tool.name,
        repeatable=item.sql if item.foreign.is_repeatable else None,
    )


def _known(session: Session) -> frozenset[str]:
    """Return what our ledger says is applied."""
    rows = ledger.read(session)
    return frozenset(row.id for row in rows or ()) | frozenset(
        () if rows is None else in_force(read_runs(session))
    )


def _refused(folder: Path, laid_out: Sequence[LaidOut], into: Path) -> Iterator[NotCarried]:
    """Yield what our own reading refuses in the files; nothing is adopted that cannot be read.

    Raises:
        FileError: the folder as a whole cannot be read.
    """
    from pgvouch.engine.task import prepare

    by_id = {item.id: item for item in laid_out}
    for migration in (*read_folder(folder), *read_repeatables(folder, Actors())):
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
