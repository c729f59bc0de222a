"""Diesel: a folder a migration, with up.sql, down.sql and metadata.toml.

https://github.com/diesel-rs/diesel: diesel_migrations/
"""

import tomllib
from pathlib import Path

from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place
from pgvouch.files.folder import read_text
from pgvouch.sqltext.scan import is_blank


def _find(project: Path) -> Path | None:
    for folder in (project / "migrations", project):
        if folder.is_dir() and next(folder.glob("*/up.sql"), None) is not None:
            return folder
    return None


def _read(folder: Path) -> History:
    found, not_carried = [], []
    for path in sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")):
        if (path / "up.sql").exists():
            found.append(_foreign(path))
        elif any(path.iterdir()):
            said = f"{path.name}/ is left out: it has no up.sql; what Rust code does is not SQL"
            not_carried.append(NotCarried(Place(path), said, is_needed=True))
    return History(folder, tuple(sorted(found, key=lambda one: one.key)), tuple(not_carried))


def _foreign(path: Path) -> Foreign:
    version, _, words = path.name.partition("_")
    text = read_text(path / "up.sql")
    if is_blank(text) and not text.strip():
        raise FileError(
            f"{path.name}/up.sql is empty, which Diesel refuses", Place(path / "up.sql")
        )
    down = path / "down.sql"
    is_transactional = _is_transactional(path / "metadata.toml")
    return Foreign(
        version.replace("-", ""),
        path / "up.sql",
        version.replace("-", ""),
        words,
        text,
        down=read_text(down) if down.exists() else None,
        down_path=down,
        is_transactional=is_transactional,
        is_down_transactional=is_transactional,
    )


def _is_transactional(metadata: Path) -> bool:
    """Say how a migration is run: a file that does not say it means no transaction."""
    if not metadata.exists():
        return True
    try:
        return bool(tomllib.loads(read_text(metadata)).get("run_in_transaction", False))
    except tomllib.TOMLDecodeError as exc:
        raise FileError(f"metadata.toml is not TOML: {exc}", Place(metadata)) from None


def _ledger(asks: Asks, _history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables("__diesel_schema_migrations", ["version", "run_on"]))
    if table is None:
        return None
    query = 'select version::text, run_on::text from {table} order by version collate "C"'
    rows = asks.rows(query, table)
    return ForeignLedger(table, tuple(Recorded(str(row[0]), row[1]) for row in rows))


TOOL = Tool("diesel", "Diesel", _find, _read, _ledger, marks=("diesel.toml",))
