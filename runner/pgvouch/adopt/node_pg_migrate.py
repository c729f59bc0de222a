"""node-pg-migrate: SQL files with `-- Up Migration`, and code, which is not carried over.

https://github.com/salsita/node-pg-migrate: src/sqlMigration.ts, src/migrationLoader.ts
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pgvouch.adopt.folders import (
    first_folder,
    in_halves,
    numbered,
    refuse_same,
    sql_files,
    with_mark,
)
from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place
from pgvouch.files.folder import read_text

_LOCK = 7241865325823964
_PLACES = ("migrations", "db/migrations", ".")
_MARK = re.compile(r"^\s*--[\s-]*up\s+migration", re.IGNORECASE | re.MULTILINE)
_CODE = re.compile(r"[0-9].*\.[cm]?[jt]s\Z")
_UTC_DIGITS = 17


def _find(project: Path) -> Path | None:
    if (found := with_mark(project, _PLACES, _MARK)) is not None:
        return found
    package = project / "package.json"
    if package.is_file() and '"node-pg-migrate"' in read_text(package):
        return first_folder(project, _PLACES, "[0-9]*_*.*s*")
    return None


def _read(folder: Path) -> History:
    paths = sql_files(folder)
    backs = {path.name: path for path in paths if path.name.endswith(".down.sql")}
    found = []
    for path in paths:
        if path.name in backs:
            continue
        key = path.stem.removesuffix(".up")
        number, words = numbered(key)
        if not number:
            raise FileError(
                f"{path.name} has no number, and node-pg-migrate refuses it",
                Place(path),
                hint="rename it, or move it out of the folder",
            )
        one = in_halves(path, key=key, number=number, words=words, needs="")
        if one.key != path.stem and (back := backs.pop(f"{key}.down.sql", None)) is not None:
            one = replace(one, down=read_text(back), down_path=back)
        found.append(one)
    for path in backs.values():
        raise FileError(
            f"{path.name} has no {path.name.replace('.down.', '.up.')} beside it",
            Place(path),
            hint="node-pg-migrate runs it as a migration: rename it, if it is one",
        )
    found.sort(key=_place_in_order)
    refuse_same(found, "node-pg-migrate")
    return History(folder, tuple(found), tuple(_code(folder)))


def _place_in_order(one: Foreign) -> tuple[int, list[str | int]]:
    pieces = re.split(r"([0-9]+)", one.key.casefold())  # words and numbers in turns
    return _milliseconds(one.number), [int(p) if p.isdecimal() else p for p in pieces]


def _milliseconds(number: str) -> int:
    if len(number) != _UTC_DIGITS:
        return int(number)
    try:
        at = datetime.strptime(number + "000", "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return int(number)
    return round(at.timestamp() * 1000)


def _code(folder: Path) -> list[NotCarried]:
    said = (
        "{} is code, which only node-pg-migrate can run: have it print the SQL on an empty "
        "database (node-pg-migrate up --dry-run, and down), and put that into {}.sql in its place, "
        "below `-- Up Migration` and `-- Down Migration`"
    )
    return [
        NotCarried(Place(path), said.format(path.name, path.stem), is_needed=True)
        for path in sorted(folder.iterdir())
        if _CODE.match(path.name) and not path.name.endswith(".d.ts")
    ]


def _ledger(asks: Asks, _history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables("pgmigrations", ["id", "name", "run_on"]))
    if table is None:
        return None
    query = "select name::text, run_on::timestamptz::text from {table} order by run_on, id"
    rows = (Recorded(str(row[0]), at=row[1]) for row in asks.rows(query, table))
    return ForeignLedger(table, tuple(rows))


TOOL = Tool(
    "node-pg-migrate",
    "node-pg-migrate",
    _find,
    _read,
    _ledger,
    lock=lambda _table, _database: _LOCK,
    marks=("package.json",),
)
