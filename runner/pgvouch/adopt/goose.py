"""goose: both halves in one file, behind `-- +goose Up` and `-- +goose Down`; a row per run.

https://github.com/pressly/goose: internal/sqlparser/parser.go, internal/dialect/postgres.go
"""

import re
from pathlib import Path

from pgvouch.adopt.folders import in_halves, refuse_same, sql_files, with_mark
from pgvouch.adopt.history import ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place

_MARK = re.compile(r"^--[ \t]*\+goose[ \t]+up\b", re.IGNORECASE | re.MULTILINE)
_NOISE = re.compile(
    r"^--[ \t]*\+goose[ \t]+(?:statement(?:begin|end)|envsub[ \t]+off)[ \t]*\r?\n?",
    re.IGNORECASE | re.MULTILINE,
)
"""Says where a statement ends, which PostgreSQL sees itself."""


def _find(project: Path) -> Path | None:
    return with_mark(project, ("migrations", "db/migrations", "sql/migrations", "."), _MARK)


def _read(folder: Path) -> History:
    found = []
    for path in sql_files(folder):
        number, _, words = path.stem.partition("_")
        if not (words and number.isascii() and number.isdecimal() and int(number)):
            raise FileError(
                f"{path.name} has no number above 0 ahead of a _, and goose refuses it",
                Place(path),
                hint="rename it, or move it out of the folder",
            )
        found.append(
            in_halves(
                path,
                key=str(int(number)),
                number=number,
                words=words,
                needs="-- +goose Up",
                noise=_NOISE,
            )
        )
    found.sort(key=lambda one: int(one.key))
    refuse_same(found, "goose")
    return History(folder, tuple(found), tuple(_code(folder)))


def _code(folder: Path) -> list[NotCarried]:
    paths = sorted(path for path in folder.glob("[0-9]*_*.go") if path.stem[-5:] != "_test")
    said = (
        "{} is a migration in Go, which only a program with goose in it can run: write what it "
        "does to the schema into {}.sql with goose's marks, in its place"
    )
    return [
        NotCarried(Place(path), said.format(path.name, path.stem), is_needed=True) for path in paths
    ]


def _ledger(asks: Asks, _history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables("goose_db_version", ["id", "version_id", "is_applied"]))
    if table is None:
        return None
    # Old versions wrote a row for a way back as well; the first row stands for no migration.
    query = (
        "select version_id::text, tstamp::timestamptz::text from (select distinct on "
        "(version_id) * from {table} order by version_id, id desc) as last where is_applied "
        "and version_id > 0 order by id"
    )
    rows = (Recorded(str(row[0]), at=row[1]) for row in asks.rows(query, table))
    return ForeignLedger(table, tuple(rows))


TOOL = Tool("goose", "goose", _find, _read, _ledger)
