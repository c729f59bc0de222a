"""The first migration of a database that has no files: what it is now, by pg_dump."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pgvouch.adopt.baseline import Baseline, baseline
from pgvouch.adopt.writing import put_in_place, refuse_migrations, written
from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.events import Listener
from pgvouch.files.folder import read_folder
from pgvouch.operations.accept_delta import accept_deltas
from pgvouch.operations.dump import HEAD, dump
from pgvouch.postgres.session import Session

STEM = "000_baseline"
_ABOUT = """\
-- The database as it was when pgvouch came to it.
-- irreversible: it is all that was there before; restore a backup

"""


@dataclass(frozen=True, slots=True)
class FromDatabase:
    """The files, and what they make beside the database that they were taken from."""

    files: tuple[Path, ...]
    baseline: Baseline
    is_written: bool


def from_database(
    session: Session,
    database: Database,
    url: str,
    options: Options,
    listener: Listener,
    *,
    without: Iterable[str] = (),
    why: str | None = None,
    pg_dump: Path | None = None,
) -> FromDatabase:
    """Write the first migration from what a database is, and record it there.

    Nothing is written where the file would make something else than is there, unless a reason is
    given.

    Args:
        session: on the database, idle.
        database: whose folder has no migration yet.
        url: of the database; a scratch database is made beside it.
        options: how migrations are run.
        listener: told of waiting.
        without: schemas to leave out, which a platform makes.
        why: the reason for which a difference is accepted.
        pg_dump: the program; None finds it.

    Raises:
        UsageError: there are migrations already, or no pg_dump is here.
        PlanError: the database has a ledger.
        VouchError: the file cannot be run on an empty database.
    """
    refuse_migrations(database.folder)
    text = dump(session, url, without=without, pg_dump=pg_dump)
    files = {f"{STEM}.sql": f"{_ABOUT}{HEAD}\n{text}"}
    with written(files, database.folder) as scratch:
        there = replace(database, folder=scratch, migrations=read_folder(scratch))
        accept_deltas(there, url, None, options, listener)
        there = replace(there, migrations=read_folder(scratch))
        found = baseline(session, there, url, options, listener, why=why, is_dry=True)
        names = sorted(p.relative_to(scratch) for p in scratch.rglob("*") if p.is_file())
        paths = tuple(database.folder / name for name in names)
        if not (found.is_same or why):
            return FromDatabase(paths, found, is_written=False)
        found = baseline(
            session,
            there,
            url,
            options,
            listener,
            why=why,
            ahead_of_commit=lambda: put_in_place(scratch, database.folder),
        )
    return FromDatabase(paths, found, is_written=True)
