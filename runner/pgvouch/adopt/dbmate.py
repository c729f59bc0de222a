"""dbmate: both halves in one file, behind `-- migrate:up` and `-- migrate:down`.

https://github.com/amacneil/dbmate: pkg/dbmate/migration.go, pkg/driver/postgres/postgres.go
"""

import re
from pathlib import Path

from pgvouch.adopt.folders import in_halves, numbered, sql_files, with_mark
from pgvouch.adopt.history import ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import Place

_MARK = re.compile(r"^--[ \t]*migrate:up\b", re.MULTILINE)


def _find(project: Path) -> Path | None:
    return with_mark(project, ("db/migrations", "migrations", "."), _MARK)


def _read(folder: Path) -> History:
    found, not_carried = [], []
    for path in sql_files(folder):
        number, words = numbered(path.stem)
        if not number:
            said = f"{path.name} is left out, as dbmate does: it has no number"
            not_carried.append(NotCarried(Place(path), said))
            continue
        found.append(in_halves(path, key=number, number=number, words=words, needs="-- migrate:up"))
    return History(folder, tuple(found), tuple(not_carried))


def _ledger(asks: Asks, _history: History | None) -> ForeignLedger | None:
    # golang-migrate's has a column more, Rails has a second table beside it.
    tables = [t for t in asks.tables("schema_migrations", ["version"]) if len(t.columns) == 1]
    rails = {t.schema for t in asks.tables("ar_internal_metadata", ["key", "value"])}
    table = only(TOOL, [t for t in tables if t.schema not in rails])
    if table is None:
        return None
    query = 'select version::text from {table} order by version collate "C"'
    return ForeignLedger(table, tuple(Recorded(str(row[0])) for row in asks.rows(query, table)))


TOOL = Tool("dbmate", "dbmate", _find, _read, _ledger, marks=("db/schema.sql",))
