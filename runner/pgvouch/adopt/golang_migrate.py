"""golang-migrate: a pair of files a migration; one row says how far it has come, or that it failed.

https://github.com/golang-migrate/migrate: source/parse.go, database/postgres/postgres.go
"""

import re
import zlib
from pathlib import Path

from pgvouch.adopt.folders import refuse_same
from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded, Table
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place, PlanError
from pgvouch.files.folder import read_text

_NAME = re.compile(r"(?P<number>[0-9]+)_(?P<words>.*)\.(?P<way>up|down)\.(?P<ending>.*)\Z")
_SALT = 1486364155


def _find(project: Path) -> Path | None:
    for name in ("migrations", "db/migrations", "db/migration", "."):
        if any(_NAME.match(path.name) for path in (project / name).glob("*.up.*")):
            return project / name
    return None


def _read(folder: Path) -> History:
    ups: dict[int, Foreign] = {}
    downs: dict[int, Path] = {}
    not_carried, all_of_them = [], []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        match = _NAME.match(path.name)
        if match is None:
            if path.suffix == ".sql":
                said = (
                    f"{path.name} is left out, as golang-migrate does: its name is not N_x.up.sql"
                )
                not_carried.append(NotCarried(Place(path), said))
            continue
        number = int(match["number"])
        if match["way"] == "up":
            ups[number] = Foreign(
                str(number), path, match["number"], match["words"], read_text(path)
            )
            all_of_them.append(ups[number])
        elif (other := downs.setdefault(number, path)) != path:
            raise _two(other, path)
    refuse_same(all_of_them, "golang-migrate")
    for number, path in downs.items():
        if number not in ups:
            raise FileError(
                f"{path.name} takes back a migration that is not here",
                Place(path),
                hint=f"golang-migrate counts it as one that does nothing: add an empty "
                f"{path.name.replace('.down.', '.up.')}, or remove it if it was never applied",
            )
    found = [_with_rollback(ups[number], downs.get(number)) for number in sorted(ups)]
    return History(folder, tuple(found), tuple(not_carried))


def _two(first: Path, second: Path) -> FileError:
    return FileError(
        f"{first.name} and {second.name} take back one migration",
        Place(second),
        hint="golang-migrate refuses them too: remove or renumber one of them",
    )


def _with_rollback(up: Foreign, path: Path | None) -> Foreign:
    if path is None:
        return up
    return Foreign(
        up.key, up.path, up.number, up.words, up.up, down=read_text(path), down_path=path
    )


def _ledger(asks: Asks, history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables("schema_migrations", ["version", "dirty"]))
    if table is None:
        return None
    query = "select version::text, dirty::text from {table} order by version"
    rows = asks.rows(query, table)
    errors = [_dirty(str(row[0]), table) for row in rows if row[1] == "true"]
    newest = max((int(row[0] or 0) for row in rows), default=-1)
    keys = [one.key for one in history.migrations if int(one.key) <= newest] if history else []
    if newest >= 0 and str(newest) not in keys:
        keys.append(str(newest))  # no file has it, which is an error of its own
    return ForeignLedger(table, tuple(map(Recorded, keys)), tuple(errors))


def _dirty(version: str, table: Table) -> PlanError:
    return PlanError(
        f"{table.quoted} is dirty at {version}: golang-migrate has failed on the way there, "
        "forwards or back",
        state="Nothing was adopted.",
        hint="look at what is there of that migration; make it complete, or undo it, and say which "
        f"version is there: migrate force {version}, or the one before it",
    )


def _lock(table: Table, database: str) -> tuple[int, ...]:
    # Its command takes the name from the path of the URL, with the slash; programs without.
    names = (f"/{database}", database)
    return tuple(_key(table.schema, table.name, name) for name in names)


def _key(schema: str, table: str, database: str) -> int:
    return zlib.crc32("\0".join((schema, table, database)).encode()) * _SALT % (1 << 32)


TOOL = Tool(
    "golang-migrate", "golang-migrate", _find, _read, _ledger, lock=_lock, marks=("go.mod",)
)
