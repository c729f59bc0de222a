"""What writes files: a new migration, its delta, the expansions of its stamps."""

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pgvouch.config.options import Options
from pgvouch.config.project import Database, Project
from pgvouch.errors import FileError, MigrationError, Place, UsageError, VouchError
from pgvouch.events import Listener
from pgvouch.files.migration import Migration
from pgvouch.files.version import ROLLBACK
from pgvouch.plan import build
from pgvouch.postgres.reach import open_session
from pgvouch.postgres.session import QueryError, Session

if TYPE_CHECKING:
    from pgvouch.stamp.verdict import Stamped

_DATE, _EPOCH = 8, 10
"""The digits of a date, and of the seconds since 1970."""
_YEARS = range(1990, 2101)


@dataclass(frozen=True, slots=True)
class Written:
    """A .delta file, and whether it changed."""

    path: Path
    changed: bool
    lines: int


def new_migration(folder: Path, migrations: Sequence[Migration], name: str) -> list[Path]:
    """Write the three files of a new migration, under the next number or the time.

    Args:
        folder: where.
        migrations: those that are there already.
        name: words in letters, digits and underscores.

    Returns:
        The files.

    Raises:
        UsageError: a name that cannot be part of a file's name.
    """
    stem_name = "_".join(name.lower().replace("-", " ").replace("_", " ").split())
    if not stem_name.isidentifier():
        raise UsageError(f"{name!r} is not a name", hint="use letters, digits and underscores")
    own = [migration for migration in migrations if not migration.set_name]
    stem = f"{next_prefix(own, datetime.now(UTC))}_{stem_name}"
    files = {
        folder / f"{stem}.sql": f"-- {stem_name.replace('_', ' ').capitalize()}.\n\n",
        folder / f"{stem}{ROLLBACK}": f"-- Rolls {stem} back, newest statement first.\n\n",
        folder / "verify" / f"{stem}.sql": (f"-- What {stem} promises.\n\n-- check: \n"),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return list(files)


def next_prefix(migrations: Sequence[Migration], now: datetime) -> str:
    """Return the digits of the next migration: a number, or the time where the newest has one.

    Args:
        migrations: those that are there already.
        now: with its time zone.
    """
    if not migrations:
        return "000"
    newest = max(migrations, key=lambda migration: migration.version)
    digits = _digits(newest)
    stamp = _stamp(digits, now.astimezone(UTC))
    if stamp is None:
        width = max(len(_digits(migration)) for migration in migrations)
        return f"{newest.version.number + 1:0{width}}"
    if newest.version.part:  # yoyo counts the migrations of a day: 20251107_01_Xyz12-name
        is_today = newest.version.number >= int(stamp)
        return f"{digits}_{newest.version.part + 1:02}" if is_today else f"{stamp}_01"
    # Two people who write one at a time differ in the second; it has to be the newest all the same.
    return f"{max(int(stamp), newest.version.number + 1):0{len(digits)}}"


def _digits(migration: Migration) -> str:
    name = migration.path.name
    return name[: len(name) - len(name.lstrip("0123456789"))]


def _stamp(digits: str, now: datetime) -> str | None:
    """Return the time in as many digits and in the form of an earlier one, None for a number."""
    try:
        is_date = datetime.strptime(digits[:_DATE], "%Y%m%d").year in _YEARS
    except ValueError:
        is_date = False
    if is_date and len(digits) in range(_DATE, len("20251107120000123456") + 1):
        return now.strftime("%Y%m%d%H%M%S%f")[: len(digits)]
    if len(digits) in {_EPOCH, _EPOCH + 3} and digits[0] in "12":  # seconds, milliseconds
        return str(int(now.timestamp() * 10 ** (len(digits) - _EPOCH)))
    return None


def accept_deltas(
    database: Database, url: str, wanted: str | None, options: Options, listener: Listener
) -> list[Written]:
    """Write the .delta files from a scratch database on the same server.

    Args:
        database: the files.
        url: where the server is; its own database is not touched.
        wanted: one migration; None means all.
        options: how to run them.
        listener: told what runs.

    Returns:
        The files, with what became of them.

    Raises:
        VouchError: a migration fails on the scratch database.
    """
    from pgvouch.delta.file import render_file
    from pgvouch.engine.context import Deltas, RunContext
    from pgvouch.engine.run import run
    from pgvouch.engine.task import prepare
    from pgvouch.ledger.ledger import ensure

    ordered = build.in_order(database.migrations)
    chosen = set(ordered) if wanted is None else {build.find(ordered, wanted)}
    last = max(ordered.index(migration) for migration in chosen)
    tasks = prepare(ordered[: last + 1], options.variables, require_promises=False)
    with _scratch(url) as session:
        ensure(session)
        context = RunContext(session, options, listener, Deltas.RECORDED)
        try:
            done = {event.id: event for event in run(context, tasks)}
        except VouchError as exc:
            exc.state = "It failed in a scratch database, which is gone. No file was written."
            raise
    written = []
    for migration in ordered:
        event = done.get(migration.id)
        if migration in chosen and event is not None and event.delta is not None:
            if migration.id in context.with_values:
                raise FileError(
                    "cannot have a delta: the value of a variable would stand in it, for everybody "
                    "to read",
                    Place(migration.path),
                    hint=f"check what it does in verify/{migration.path.stem}.sql; pgvouch "
                    "accept-delta ID writes those of other migrations",
                )
            written.append(_write(migration, render_file(event.delta), len(event.delta)))
    if wanted is not None and not written:
        raise FileError(
            f"{wanted} makes no catalog delta: it is provided on this server, or not transactional",
            Place(next(iter(chosen)).path),
        )
    return written


def _write(migration: Migration, text: str, lines: int) -> Written:
    path = migration.path.parent / "verify" / f"{migration.path.stem}.delta"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return Written(path, changed=False, lines=lines)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return Written(path, changed=True, lines=lines)


@contextmanager
def _scratch(url: str) -> Iterator[Session]:
    """Give a session on a database that exists for the length of a with-block."""
    from psycopg.conninfo import make_conninfo

    name = f"pgvouch_scratch_{secrets.token_hex(6)}"
    maintenance = make_conninfo(url, dbname="postgres")
    with open_session(maintenance, application_name="pgvouch") as session:
        try:
            session.run(f"create database {name} template template0")
        except QueryError as exc:
            raise MigrationError(
                f"no scratch database can be created: {exc.server.primary}",
                server=exc.server,
                hint="use a server where you may: --url embedded:",
            ) from None
    try:
        with Session.open(make_conninfo(url, dbname=name), "pgvouch accept-delta") as session:
            yield session
    finally:
        with Session.open(maintenance) as session:
            session.run(f"drop database {name} with (force)")


def stamp_folder(
    project: Project,
    name: str,
    applied: Callable[[], Collection[str]] | None,
    *,
    check: bool,
    force: bool,
) -> "list[Stamped]":
    """Bring the expansions in a folder of migrations up to date.

    Args:
        project: with the templates.
        name: the folder: of a database, or of a platform set.
        applied: asks a ledger, where a stamp is stale, for what is never stamped again.
        check: write nothing.
        force: overwrite expansions that were edited by hand.

    Returns:
        What became of each stamp.

    Raises:
        StampError: a stamp or a template is wrong; nothing has been written then.
    """
    from pgvouch.stamp.rewrite import stamp_files
    from pgvouch.stamp.templates import Templates

    known = cache(applied or tuple)

    def is_applied(path: Path) -> bool:
        return path.name.removesuffix(ROLLBACK).removesuffix(".sql") in known()

    folder = project.migrations / name
    return stamp_files(
        sorted([*folder.glob("*.sql"), *folder.glob("verify/*.sql")]),
        Templates(project.templates),
        check=check,
        force=force,
        applied=is_applied if applied else None,
    )
