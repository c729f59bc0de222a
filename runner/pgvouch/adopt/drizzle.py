"""Drizzle Kit: SQL files in the order of a journal; since 1.0 a folder a migration.

https://github.com/drizzle-team/drizzle-orm: drizzle-orm/src/migrator.ts, pg-core/dialect.ts
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pgvouch.adopt.folders import digests, numbered, sql_files
from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.text import ended
from pgvouch.adopt.tool import Asks, Row, Tool, only
from pgvouch.errors import FileError, Place
from pgvouch.files.folder import read_text

_FOLDERS = ("drizzle", "src/drizzle", "migrations", "drizzle/migrations", "db/migrations", ".")
_JOURNAL = "meta/_journal.json"
_BREAK = re.compile(r"--> statement-breakpoint[ \t]*")
_DATED = re.compile(r"(?P<at>[0-9]{14})_?")


def _find(project: Path) -> Path | None:
    for folder in (project / name for name in _FOLDERS):
        if (folder / _JOURNAL).is_file() or next(folder.glob("*/snapshot.json"), None):
            return folder
    return None


def _read(folder: Path) -> History:
    journal = folder / _JOURNAL
    if not journal.is_file():
        paths = sorted(folder.glob("*/migration.sql"))
        return History(folder, tuple(_foreign(path, path.parent.name) for path in paths))
    try:
        given = json.loads(read_text(journal))
        tags = [str(one["tag"]) for one in sorted(given["entries"], key=lambda one: one["idx"])]
    except (ValueError, KeyError, TypeError) as exc:
        raise FileError(f"the journal cannot be read: {exc}", Place(journal)) from None
    if given.get("dialect", "postgresql") not in {"postgresql", "pg"}:
        said = f"these migrations are for {given['dialect']}, and not for PostgreSQL"
        raise FileError(said, Place(journal))
    for tag in tags:
        if not (folder / f"{tag}.sql").is_file():
            raise FileError(
                f"the journal has {tag}, and {tag}.sql is not there",
                Place(journal),
                hint="bring the file back, as Drizzle wants it",
            )
    found = tuple(_foreign(folder / f"{tag}.sql", tag) for tag in tags)
    said = "{} is left out, as Drizzle does: it is not in the journal"
    notes = (
        NotCarried(Place(path), said.format(path.name))
        for path in sql_files(folder)
        if path.stem not in tags
    )
    return History(folder, found, tuple(notes))


def _foreign(path: Path, tag: str) -> Foreign:
    number, words = numbered(tag)
    return Foreign(
        key=tag,
        path=path,
        number=number,
        words=words,
        up=_plain(read_text(path)),
        checksums=digests(path, "sha256"),
    )


def _plain(text: str) -> str:
    """Return a file without the marks between its statements, each of which ends in a semicolon."""
    parts = _BREAK.split(text)
    return "".join(map(ended, parts)) if parts[1:] else text


def _ledger(asks: Asks, history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables("__drizzle_migrations", ["id", "hash", "created_at"]))
    if table is None:
        return None
    is_named = {"name", "applied_at"} <= table.columns
    more = "name::text, applied_at::text" if is_named else "null, null"
    query = f"select created_at::text, hash::text, {more} from {{table}} order by created_at, id"
    times = dict(_times(history)) if history else {}
    rows = asks.rows(query, table)
    return ForeignLedger(table, tuple(_recorded(row, times, history) for row in rows))


def _recorded(row: Row, times: dict[str, str], history: History | None) -> Recorded:
    """Return a row, which says by its time which migration it is; since 1.0 by a name too."""
    when, stored, name, at = row
    files = history.migrations if history else ()
    by_hash = next((one.key for one in files if stored in one.checksums), None)
    return Recorded(name or times.get(str(when)) or by_hash or f"the one of {when}", at, stored)


def _times(history: History) -> Iterator[tuple[str, str]]:
    """Yield the milliseconds that are written for each migration, with its key."""
    journal = history.folder / _JOURNAL
    if journal.is_file():
        for one in json.loads(read_text(journal))["entries"]:
            yield str(one["when"]), str(one["tag"])
        return
    for one in history.migrations:
        if match := _DATED.match(one.key):
            at = datetime.strptime(match["at"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            yield str(round(at.timestamp() * 1000)), one.key


TOOL = Tool(
    "drizzle",
    "Drizzle",
    _find,
    _read,
    _ledger,
    marks=("drizzle.config.ts", "drizzle.config.js", "drizzle.config.json", "drizzle.config.mjs"),
)
