"""sql-migrate: both halves in one file, behind `-- +migrate Up`; the whole file name is the key.

https://github.com/rubenv/sql-migrate: migrate.go, sqlparse/sqlparse.go
"""

import re
from pathlib import Path

from pgvouch.adopt.folders import in_halves, numbered, sql_files, with_mark
from pgvouch.adopt.history import ForeignLedger, History, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.files.folder import read_text

_CONFIGURATION = "dbconfig.yml"
_MARK = re.compile(r"^--[ \t]*\+migrate[ \t]+up\b", re.IGNORECASE | re.MULTILINE)
_NOISE = re.compile(
    r"^--[ \t]*\+migrate[ \t]+statement(?:begin|end)\b[^\r\n]*\r?\n?", re.IGNORECASE | re.MULTILINE
)
_FOLDER = re.compile(r"^[ \t]+dir:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)


def _find(project: Path) -> Path | None:
    configuration = project / _CONFIGURATION
    named = _FOLDER.findall(read_text(configuration)) if configuration.is_file() else []
    return with_mark(project, (*named, "migrations", "db/migrations", "."), _MARK)


def _read(folder: Path) -> History:
    found = [
        in_halves(
            path,
            key=path.name,
            number=numbered(path.stem)[0],
            words=numbered(path.stem)[1],
            needs="-- +migrate Up",
            noise=_NOISE,
        )
        for path in sql_files(folder)
    ]
    # Those with a number go first, by its value; the others by their names.
    found.sort(key=lambda one: (not one.number, int(one.number or 0), one.key))
    return History(folder, tuple(found))


def _ledger(asks: Asks, _history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables("gorp_migrations", ["id", "applied_at"]))
    if table is None:
        return None
    query = "select id::text, applied_at::text from {table} order by applied_at, id"
    rows = (Recorded(str(row[0]), at=row[1]) for row in asks.rows(query, table))
    return ForeignLedger(table, tuple(rows))


TOOL = Tool("sql-migrate", "sql-migrate", _find, _read, _ledger, marks=(_CONFIGURATION,))
