"""Prisma Migrate: a folder a migration, with migration.sql in it; a row an attempt.

https://github.com/prisma/prisma-engines: schema-engine, connectors/sql-schema-connector
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pgvouch.adopt.folders import digests, numbered
from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place, PlanError, VouchError
from pgvouch.files.folder import read_text

_MARK = "migration_lock.toml"
_PROVIDER = re.compile(r"^[ \t]*provider[ \t]*=[ \t]*\"(?P<name>[^\"]*)\"", re.MULTILINE)
_POSTGRES = {"postgresql", "postgres", "cockroachdb"}
_LOCK = 72707369


def _find(project: Path) -> Path | None:
    folders = (project / name for name in ("prisma/migrations", "migrations", "."))
    return next((folder for folder in folders if (folder / _MARK).is_file()), None)


def _read(folder: Path) -> History:
    mark = folder / _MARK
    if (match := _PROVIDER.search(read_text(mark))) and match["name"] not in _POSTGRES:
        said = f"these migrations are for {match['name']}, and not for PostgreSQL"
        raise FileError(said, Place(mark))
    found = []
    for inside in sorted(path for path in folder.iterdir() if path.is_dir()):
        path = inside / "migration.sql"
        if not path.is_file():
            raise FileError(
                f"{inside.name}/ has no migration.sql, and Prisma refuses it (P3015)",
                Place(inside),
                hint="remove the folder, or bring its file back",
            )
        number, words = numbered(inside.name)
        back = inside / "down.sql"
        found.append(
            Foreign(
                key=inside.name,
                path=path,
                number=number,
                words=words,
                up=read_text(path),
                down=read_text(back) if back.is_file() else None,
                down_path=back,
                checksums=digests(path, "sha256"),
            )
        )
    return History(folder, tuple(found), tuple(_left_out(folder)))


def _left_out(folder: Path) -> Iterator[NotCarried]:
    for path in sorted(folder.rglob("*.sql")):
        if path.name not in {"migration.sql", "down.sql"} or path.parent.parent != folder:
            yield NotCarried(Place(path), f"{path.name} is left out, as Prisma does")


def _ledger(asks: Asks, _history: History | None) -> ForeignLedger | None:
    needed = ["migration_name", "checksum", "finished_at", "rolled_back_at"]
    table = only(TOOL, asks.tables("_prisma_migrations", needed))
    if table is None:
        return None
    query = (
        "select migration_name::text, checksum::text, finished_at::text, "
        "(rolled_back_at is not null)::text from {table} order by started_at, migration_name"
    )
    found: dict[str, Recorded] = {}
    errors: list[VouchError] = []
    for name, checksum, at, is_back in asks.rows(query, table):
        key = str(name)
        if is_back == "true":
            continue  # another attempt has a row of its own
        if at is not None:
            found[key] = Recorded(key, at, checksum)
            continue
        errors.append(
            PlanError(
                f"{key} has failed in this database, and a part of it may be there",
                state=f"Nothing was adopted. {table.quoted} has it as begun and not finished.",
                hint=f"undo by hand what it has done, then: prisma migrate resolve --rolled-back "
                f"{key}; or do the rest, then: prisma migrate resolve --applied {key}",
            )
        )
    return ForeignLedger(table, tuple(found.values()), tuple(errors))


TOOL = Tool(
    "prisma",
    "Prisma",
    _find,
    _read,
    _ledger,
    lock=lambda _table, _database: _LOCK,
    marks=("prisma/schema.prisma", "prisma.config.ts"),
)
