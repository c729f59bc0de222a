"""tern: both halves in one file, apart by `---- create above / drop below ----`; one row, a number.

https://github.com/jackc/tern: migrate/migrate.go
"""

import re
from pathlib import Path

from pgvouch.adopt.folders import first_folder, in_halves, numbered, sql_files, with_mark
from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place
from pgvouch.files.folder import read_text
from pgvouch.sqltext.scan import is_blank

_LOCK = 9628173550095224
_PLACES = ("migrations", "db/migrations", ".")
_CONFIGURATION = "tern.conf"
_MARK = re.compile(r"---- create above / drop below ----")
_NAME = re.compile(r"[0-9]+_.+\.sql\Z")


def _find(project: Path) -> Path | None:
    if (found := with_mark(project, _PLACES, _MARK)) is not None:
        return found
    if not any((project / name / _CONFIGURATION).is_file() for name in _PLACES):
        return None
    return first_folder(project, _PLACES, "[0-9]*_*.sql")


def _read(folder: Path) -> History:
    found, not_carried = [], []
    for path in sql_files(folder):
        if not _NAME.match(path.name):
            said = f"{path.name} is left out, as tern does: it has no number"
            not_carried.append(NotCarried(Place(path), said))
            continue
        _refuse_template(path)
        number, words = numbered(path.stem)
        one = in_halves(path, key=str(int(number)), number=number, words=words, needs="")
        if is_blank(one.up):
            raise FileError(
                f"{path.name} holds no statement that goes forward, and tern refuses it",
                Place(path),
                hint="write its SQL above the line `---- create above / drop below ----`",
            )
        found.append(one)
    found.sort(key=lambda one: int(one.key))
    _refuse_gaps(found)
    return History(folder, tuple(found), tuple(not_carried))


def _refuse_template(path: Path) -> None:
    text = read_text(path)
    if (at := text.find("{{")) < 0:
        return
    raise FileError(
        f"tern fills in a part of {path.name} when it runs it",
        Place(path, text.count("\n", 0, at) + 1),
        statement=text[at:].splitlines()[0],
        hint="write there what tern makes of it: tern print-migrations shows it",
    )


def _refuse_gaps(found: list[Foreign]) -> None:
    for wanted, one in enumerate(found, start=1):
        if int(one.key) != wanted:
            raise FileError(
                f"{one.path.name} is there where number {wanted} is to be, and tern refuses that",
                Place(one.path),
                hint="tern counts 1, 2, 3 without a gap: put the missing file back, or renumber",
            )


def _ledger(asks: Asks, history: History | None) -> ForeignLedger | None:
    # Flyway's old one is called that too, and has more columns.
    tables = [t for t in asks.tables("schema_version", ["version"]) if len(t.columns) == 1]
    table = only(TOOL, tables)
    if table is None:
        return None
    rows = asks.rows("select version::text from {table} order by version", table)
    newest = max((int(row[0] or 0) for row in rows), default=0)
    keys = [one.key for one in history.migrations if int(one.key) <= newest] if history else []
    if newest > 0 and str(newest) not in keys:
        keys.append(str(newest))  # no file has it, which is an error of its own
    return ForeignLedger(table, tuple(map(Recorded, keys)))


TOOL = Tool(
    "tern",
    "tern",
    _find,
    _read,
    _ledger,
    lock=lambda _table, _database: _LOCK,
    marks=(_CONFIGURATION,),
)
