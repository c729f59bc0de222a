"""One migration in the place of many: proved on scratch databases before a file is moved."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, product
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg.conninfo import make_conninfo

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.delta.snapshot import Snapshot, add_snapshot, difference, read_snapshot
from pgvouch.engine.context import RunContext
from pgvouch.engine.run import run
from pgvouch.engine.task import prepare
from pgvouch.errors import CheckError, Place, PlanError, UsageError, VouchError
from pgvouch.events import Listener, silent
from pgvouch.files.folder import read_folder, read_text
from pgvouch.files.migration import Migration
from pgvouch.files.promises import Kind, read_promises
from pgvouch.files.version import ROLLBACK
from pgvouch.ledger import ledger
from pgvouch.operations.accept_delta import accept_deltas
from pgvouch.operations.dump import HEAD, dump, schemas_of
from pgvouch.operations.roles import roles_of
from pgvouch.operations.scratch import scratch
from pgvouch.plan import build
from pgvouch.postgres.message import Message
from pgvouch.postgres.session import Session
from pgvouch.sqltext.own import Raw, own_query
from pgvouch.verify.live import verify_database

FOLDER = "squashed"


@dataclass(frozen=True, slots=True)
class Squashed:
    """What was put in the place of what."""

    id: str
    files: tuple[Path, ...]
    """The new files."""
    moved: tuple[Path, ...]
    """The old ones, where they are now."""
    checks: int
    """How many checks the new verify file has taken over."""
    left_out: tuple[str, ...]
    """Old verify files whose checks it has not, each with the reason."""


def squash(
    database: Database,
    url: str,
    options: Options,
    listener: Listener,
    *,
    to: str,
    name: str = "squashed",
    pg_dump: Path | None = None,
) -> Squashed:
    """Write one migration that makes what all migrations up to one make, rows too.

    Both ways are gone on scratch databases; the files are moved only if catalog, rows and sequences
    are the same.

    Args:
        database: the files.
        url: of a server where scratch databases may be made.
        options: how migrations are run, and the values of variables.
        listener: told of what is done.
        to: the last migration to squash (identifier or number).
        name: the words of the new file's name.
        pg_dump: the program; None finds it.

    Raises:
        PlanError: fewer than two migrations, or later ones in between.
        UsageError: no pg_dump is here.
        CheckError: the new file makes something else.
        VouchError: a migration fails on a scratch database.
    """
    platform = [m for m in build.in_order(database.migrations) if m.set_name]
    chosen = _chosen(database, to)
    stem = _stem(chosen, name)
    roles = roles_of(chosen)
    with scratch(url, _ensure) as session:
        _apply(session, platform, options)
        outside = schemas_of(session)
        _apply(session, chosen, options)
        expected = _state(session)
        where = make_conninfo(url, dbname=session.connection.info.dbname)
        text = dump(session, where, without=outside, with_rows=True, pg_dump=pg_dump)
        _refuse_left_over(session, text)
    with TemporaryDirectory(prefix="pgvouch-squash-") as temporary:
        copy = Path(temporary) / (database.folder.name or "migrations")
        shutil.copytree(database.folder, copy)
        moved = _move(copy, chosen)
        (copy / f"{stem}.sql").write_text(
            f"{_header(chosen, roles)}\n{roles}{HEAD}\n{text}", encoding="utf-8", newline="\n"
        )
        there = _read(database, copy, platform, chosen)
        checks, left_out = _prove(there, url, options, platform, stem, moved, expected)
        accept_deltas(_read(database, copy, platform, chosen), url, stem, options, listener)
        _move(database.folder, chosen)
        files = _bring(copy, database.folder, stem)
    where_now = tuple(database.folder / path.relative_to(copy) for path in moved)
    return Squashed(stem, files, where_now, checks, left_out)


def _ensure(session: Session) -> None:
    ledger.ensure(session)


def _chosen(database: Database, to: str) -> list[Migration]:
    """Return the database's own migrations up to one.

    Raises:
        PlanError: fewer than two, one that was written in Python, or one that depends on a later.
    """
    own = [m for m in build.in_order(database.migrations) if not m.set_name]
    chosen = own[: own.index(build.find(own, to)) + 1]
    if len(chosen) < 2:
        raise PlanError(
            f"{to} is the first migration: there is nothing to squash",
            hint="say the last one that is to be squashed: --to ID",
        )
    newest = max(migration.version for migration in chosen)
    if early := next((m for m in own[len(chosen) :] if m.version < newest), None):
        raise PlanError(
            f"{early.id} comes later than {chosen[-1].id}, and has a smaller number",
            Place(early.path),
            hint="squash up to it, or give it a number behind the others",
        )
    return chosen


def _refuse_left_over(session: Session, text: str) -> None:
    """Refuse what must not stand in a file, or cannot.

    Raises:
        PlanError: the value of a variable, or a large object.
    """
    (result,) = session.ask(own_query("operations", "has_large_objects"))
    what = None
    if result.rows == (("t",),):
        what = "the migrations make large objects, whose numbers another database may have given"
    elif session.mask(text) != text:
        what = "the value of a variable (`-- var:`) would stand in the new file for all to read"
    if what:
        raise PlanError(
            what,
            state="No file was changed.",
            hint="squash less (--to), or write the migration by hand, with `-- squashes:` in its "
            "header",
        )


def _stem(chosen: Sequence[Migration], name: str) -> str:
    last = chosen[-1]
    digits = last.path.name[: len(last.path.name) - len(last.path.name.lstrip("0123456789"))]
    if not name.isidentifier():
        raise UsageError(f"{name!r} is not a name", hint="use letters, digits and underscores")
    if any(migration.id == f"{digits}_{name}" for migration in chosen):
        raise UsageError(
            f"{digits}_{name} is one of those that are to be squashed",
            state="No file was changed.",
            hint="give another name: a database that has the one has not the other",
        )
    return f"{digits}_{name}"


def _header(chosen: Sequence[Migration], roles: str) -> str:
    """Return the head of the new file: in whose place it stands."""
    # A database may have what is squashed now, or what that has squashed before.
    each = [((m.id,), *m.directives.squashes) for m in chosen]
    lines = [" ".join(chain(*choice)) for choice in product(*each)]
    declared = {name for m in chosen for name in m.directives.variables}
    used = sorted(n for n in declared if re.search(rf":['\"]?{re.escape(n)}\b", roles))
    return (
        f"-- What {chosen[0].id} to {chosen[-1].id} make, by pg_dump. A database that has them has "
        "this; they are in\n"
        f"-- {FOLDER}/.\n"
        + "".join(f"-- squashes: {line}\n" for line in lines)
        + "".join(f"-- var: {name}\n" for name in used)
        + "-- irreversible: it is the whole database; what had the single files rolls them back\n"
    )


def _apply(session: Session, migrations: Sequence[Migration], options: Options) -> None:
    tasks = prepare(migrations, options.variables, require_promises=False)
    bare = [replace(task, promises=None, expected_delta=None) for task in tasks]
    try:
        run(RunContext(session, options, silent), bare)
    except VouchError as exc:
        exc.state = "It failed in a scratch database, which is gone. No file was changed."
        raise


@dataclass(frozen=True, slots=True)
class _State:
    """What a database is."""

    catalog: Snapshot
    rows: dict[str, str]
    """Of each table how many, and their digest."""
    sequences: dict[str, str]


def _state(session: Session) -> _State:
    message = Message().add("begin isolation level repeatable read read only")
    add_snapshot(message)
    message.add("rollback")
    catalog = read_snapshot(message, message.send(session))
    tables, sequences = session.ask(own_query("operations", "tables_and_sequences"))
    found = {}
    for (name,) in tables.rows:
        (counted,) = session.ask(own_query("operations", "digest", table=Raw(name)))
        found[str(name)] = f"{counted.rows[0][0]} rows, {counted.rows[0][1]}"
    return _State(catalog, found, {str(name): str(last) for name, last in sequences.rows})


def _move(folder: Path, chosen: Sequence[Migration]) -> list[Path]:
    """Move the files of migrations into the folder of what is squashed; return where they are."""
    moved = []
    for migration in chosen:
        stem = migration.path.stem
        names = [migration.path.name, f"{stem}{ROLLBACK}"]
        names += [f"verify/{stem}.sql", f"verify/{stem}{ROLLBACK}", f"verify/{stem}.delta"]
        for name in names:
            if (folder / name).exists():
                target = folder / FOLDER / name
                target.parent.mkdir(parents=True, exist_ok=True)
                (folder / name).rename(target)
                moved.append(target)
    return moved


def _read(
    database: Database, folder: Path, platform: Sequence[Migration], chosen: Sequence[Migration]
) -> Database:
    """Return the database with the files of another folder."""
    own = read_folder(folder, actors=chosen[0].actors)
    return replace(database, folder=folder, migrations=(*platform, *own))


def _prove(
    there: Database,
    url: str,
    options: Options,
    platform: Sequence[Migration],
    stem: str,
    moved: Sequence[Path],
    expected: _State,
) -> tuple[int, tuple[str, ...]]:
    """Show that the new file makes the same, and find out which checks hold behind it.

    Returns:
        How many checks its verify file has, and the files whose checks it has not.

    Raises:
        CheckError: it makes something else.
    """
    new = there.by_id[stem]
    with scratch(url, _ensure) as session:
        _apply(session, [*platform, new], options)
        _refuse_other(new, expected, _state(session))
        kept: list[str] = []
        left_out = []
        for path in moved:
            if (
                path.parent.name != "verify"
                or path.suffix != ".sql"
                or path.name.endswith(ROLLBACK)
            ):
                continue
            text = read_text(path).rstrip() + "\n"
            if why := _does_not_hold(session, there, new, options, [*kept, text]):
                left_out.append(f"{FOLDER}/verify/{path.name}: {why}")
            else:
                kept.append(text)
    if not kept:
        return 0, tuple(left_out)
    promises = read_promises(_write_checks(new, kept), new.actors)
    return len(promises.checks if promises else ()), tuple(left_out)


def _write_checks(new: Migration, texts: Sequence[str]) -> Path:
    path = new.path.parent / "verify" / new.path.name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(texts), encoding="utf-8", newline="\n")
    return path


def _does_not_hold(
    session: Session, there: Database, new: Migration, options: Options, texts: Sequence[str]
) -> str | None:
    """Return why some checks cannot be those of the new file, or None if they can."""
    path = _write_checks(new, texts)
    try:
        promises = read_promises(path, new.actors)
        if promises is not None and any(promises.of_kind(Kind.SAME)):
            return "it compares what was before its migration with what was after it"
        known = replace(new, beside={*new.beside, f"verify/{path.name}"})
        only = replace(there, migrations=(known,))
        verdicts = verify_database(session, only, ledger.read(session) or (), options)
    except VouchError as exc:
        return exc.message
    finally:
        path.unlink()
    wrong = [f for v in verdicts if v.id == new.id for f in (*v.broken, *v.unjudged)]
    return f"{wrong[0].sentence!r} does not hold beside the others" if wrong else None


def _refuse_other(new: Migration, expected: _State, found: _State) -> None:
    notes = list(difference(expected.catalog, found.catalog))
    for before, after in ((expected.rows, found.rows), (expected.sequences, found.sequences)):
        notes += [
            f"{name}: {before.get(name, 'none')}; now {after.get(name, 'none')}"
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)
        ]
    if notes:
        raise CheckError(
            f"{new.id} does not make what the single migrations make",
            notes=notes[:40],
            state="No file was changed.",
            hint="pg_dump does not carry this over: squash less (--to), or write the migration by "
            "hand, with `-- squashes:` in its header",
        )


def _bring(copy: Path, folder: Path, stem: str) -> tuple[Path, ...]:
    """Write the new files into the real folder."""
    found = []
    for name in (f"{stem}.sql", f"verify/{stem}.sql", f"verify/{stem}.delta"):
        if (copy / name).exists():
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(copy / name, folder / name)
            found.append(folder / name)
    return tuple(found)
