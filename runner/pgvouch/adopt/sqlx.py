"""sqlx: one file or a pair a migration, with a SHA-384 of the forward one in its ledger.

https://github.com/launchbadge/sqlx: sqlx-core/src/migrate/, sqlx-postgres/src/migrate.rs
"""

import hashlib
import re
import zlib
from pathlib import Path

from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded, Table
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place, PlanError
from pgvouch.files.folder import read_text

_NAME = re.compile(r"(?P<number>[0-9]+)_(?P<words>.*?)(?P<way>\.(?:up|down))?\.sql\Z")
_MARKS = ("sqlx.toml", ".sqlx", "Cargo.toml")
_ALONE = "-- no-transaction"
_SALT = 0x3D32AD9E


def _find(project: Path) -> Path | None:
    is_marked = any((base / mark).exists() for base in (project, project.parent) for mark in _MARKS)
    for name in ("migrations", "."):
        names = (path.name for path in (project / name).glob("*.sql"))
        found = [match for match in map(_NAME.match, names) if match]
        if any(match["way"] == ".up" for match in found) or (found and is_marked):
            return project / name
    return None


def _read(folder: Path) -> History:
    ups: dict[int, Foreign] = {}
    downs: dict[int, Path] = {}
    not_carried = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.match(path.name)
        if match is None:
            said = f"{path.name} is left out, as sqlx does: its name is not N_x.sql"
            not_carried.append(NotCarried(Place(path), said))
        elif match["way"] == ".down":
            downs[int(match["number"])] = path
        elif other := ups.get(int(match["number"])):
            raise FileError(
                f"{other.path.name} and {path.name} have the same number",
                Place(path),
                hint="sqlx refuses them too: renumber the one that was not applied",
            )
        else:
            ups[int(match["number"])] = _foreign(path, match)
    found = [_with_rollback(ups[number], downs.pop(number, None)) for number in sorted(ups)]
    not_carried += [
        NotCarried(Place(path), f"{path.name} takes back a migration that is not here")
        for path in downs.values()
    ]
    return History(folder, tuple(found), tuple(not_carried))


def _foreign(path: Path, match: re.Match[str]) -> Foreign:
    text = read_text(path)
    return Foreign(
        str(int(match["number"])),
        path,
        match["number"],
        match["words"],
        text.removeprefix(_ALONE),
        is_transactional=not text.startswith(_ALONE),
        checksums=frozenset({hashlib.sha384(path.read_bytes()).hexdigest()}),
    )


def _with_rollback(up: Foreign, path: Path | None) -> Foreign:
    if path is None:
        return up
    text = read_text(path)
    return Foreign(
        up.key,
        up.path,
        up.number,
        up.words,
        up.up,
        down=text.removeprefix(_ALONE),
        down_path=path,
        is_transactional=up.is_transactional,
        is_down_transactional=not text.startswith(_ALONE),
        checksums=up.checksums,
    )


def _ledger(asks: Asks, _history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables("_sqlx_migrations", ["version", "success", "checksum"]))
    if table is None:
        return None
    query = (
        "select version::text, installed_on::text, encode(checksum, 'hex'), success::text "
        "from {table} order by version"
    )
    rows = asks.rows(query, table)
    errors = [_failed(str(row[0])) for row in rows if row[3] != "true"]
    found = tuple(Recorded(str(row[0]), row[1], row[2]) for row in rows)
    return ForeignLedger(table, found, tuple(errors))


def _failed(version: str) -> PlanError:
    return PlanError(
        f"sqlx has stopped on the way to {version}",
        state="Nothing was adopted.",
        hint="look at what is there of it; make it complete or undo it, and correct its row in "
        "_sqlx_migrations",
    )


def _lock(_table: Table, database: str) -> int:
    return _SALT * zlib.crc32(database.encode())


TOOL = Tool("sqlx", "sqlx", _find, _read, _ledger, lock=_lock, marks=_MARKS)
