"""Supabase's CLI: files with a time, and a ledger that has their SQL.

https://github.com/supabase/cli: pkg/migration
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pgvouch.adopt.folders import sql_files
from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.text import ended
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import Place
from pgvouch.files.folder import read_text

_PROJECT = re.compile(r"^[ \t]*project_id[ \t]*=", re.MULTILINE)
_NAME = re.compile(r"(?P<number>[0-9]+)_(?P<words>.*)\.sql\Z")


def _find(project: Path) -> Path | None:
    roots = [project / "supabase", project]
    if project.name == "migrations":
        roots.append(project.absolute().parent)
    for root in roots:
        settings = root / "config.toml"
        if settings.is_file() and _PROJECT.search(read_text(settings)):
            return root / "migrations"
    return None


def _read(folder: Path) -> History:
    found, notes = [], []
    for path in sql_files(folder):
        if match := _NAME.match(path.name):
            number, words = match["number"], match["words"]
            found.append(Foreign(number, path, number, words, read_text(path)))
        else:
            said = (
                f"{path.name} is left out, as Supabase does: it needs a time, and a name behind _"
            )
            notes.append(NotCarried(Place(path), said))
    found.sort(key=lambda one: one.key)
    return History(folder, tuple(found), (*notes, *_beside(folder.parent)))


def _beside(root: Path) -> Iterator[NotCarried]:
    if (root / "seed.sql").is_file():
        said = "seed.sql is no migration: put it into seed/ under the name of the database"
        yield NotCarried(Place(root / "seed.sql"), said)
    if (root / "schemas").is_dir():
        said = "schemas/ is left out: it says what the migrations are to come to"
        yield NotCarried(Place(root / "schemas"), said)


def _ledger(asks: Asks, _history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables("schema_migrations", ["version"], "supabase_migrations"))
    if table is None:
        return None
    has_sql = {"statements", "name"} <= table.columns
    more = "to_jsonb(statements)::text, name::text" if has_sql else "null, null"
    query = f'select version::text, {more} from {{table}} order by version collate "C"'
    rows = (
        Recorded(str(version), sql=None if given is None else _joined(json.loads(given)), name=name)
        for version, given, name in asks.rows(query, table)
    )
    return ForeignLedger(table, tuple(rows))


def _joined(statements: Sequence[str]) -> str:
    return "".join(f"{ended(one)}\n" for one in statements)


def _with_rows(history: History, rows: Sequence[Recorded]) -> History:
    """Return the history with what only the ledger has: a dashboard writes no files."""
    found = list(history.migrations)
    notes = list(history.not_carried)
    for row in rows:
        if row.key in history.by_key or row.sql is None:
            continue
        path = history.folder / f"{row.key}_{row.name or 'remote'}.sql"
        found.append(Foreign(row.key, path, row.key, row.name or "remote", row.sql))
        said = "there is no such file: its SQL comes from the ledger"
        notes.append(NotCarried(Place(path), said))
    found.sort(key=lambda one: one.key)
    return replace(history, migrations=tuple(found), not_carried=tuple(notes))


TOOL = Tool(
    "supabase",
    "Supabase",
    _find,
    _read,
    _ledger,
    marks=("supabase/config.toml",),
    with_rows=_with_rows,
)
