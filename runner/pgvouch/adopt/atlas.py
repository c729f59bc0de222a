"""Atlas: plain SQL files and atlas.sum, whose hashes run on from file to file.

https://github.com/ariga/atlas: sql/migrate/dir.go, sql/migrate/migrate.go
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded, Table
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place, PlanError
from pgvouch.files.folder import read_text

_SUM = "atlas.sum"
_LINE = re.compile(r"(?P<name>.+) h1:(?P<hash>\S+)\Z")
_HEAD = re.compile(r"\A(?:--[^\n]*\n)+\n")
_DIRECTIVE = re.compile(
    r"^--[ \t]*atlas:(?P<word>\w+)(?:[ \t]+(?P<value>[^\n]*?))?[ \t]*\r?$", re.MULTILINE
)
_BASELINE = 1


def _find(project: Path) -> Path | None:
    for folder in (project / "migrations", project):
        if (folder / _SUM).is_file():
            return folder
    return None


def _read(folder: Path) -> History:
    found, not_carried = [], []
    for path, running in _hashed(folder):
        text = read_text(path)
        head = _HEAD.match(text)
        said = dict(_DIRECTIVE.findall(head[0])) if head else {}
        if "checkpoint" in said:
            what = f"{path.name} is left out: a checkpoint holds what the files before it make"
            not_carried.append(NotCarried(Place(path), what))
            continue
        if "delimiter" in said:
            raise FileError(
                f"{path.name} has a delimiter of its own, which PostgreSQL does not read",
                Place(path, 1),
                hint="write ; in its place, atlas migrate hash, and run this again",
            )
        number, _, words = path.stem.partition("_")
        found.append(
            Foreign(
                number,
                path,
                number if number.isdigit() else "",
                words or path.stem,
                _DIRECTIVE.sub("", text),
                is_transactional=said.get("txmode") != "none",
                checksums=frozenset({running}),
            )
        )
    return History(folder, tuple(found), tuple(not_carried))


def _hashed(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files with the hash that Atlas has for each as it is now.

    Raises:
        FileError: atlas.sum is not that of these files.
    """
    listed = {}
    for line in read_text(folder / _SUM).splitlines()[1:]:
        if match := _LINE.match(line):
            listed[match["name"]] = match["hash"]
    running = hashlib.sha256()
    for path in sorted(folder.glob("*.sql")):
        running.update(path.name.encode())
        if path.name not in listed and "atlas:sum ignore" in read_text(path):
            continue
        running.update(path.read_bytes())
        found = base64.b64encode(running.digest()).decode()
        if listed.get(path.name) != found:
            raise FileError(
                f"{_SUM} does not have {path.name} as it is",
                Place(path),
                hint="put back the text that was hashed; or, if the change is right, "
                "atlas migrate hash",
            )
        yield path, found


def _ledger(asks: Asks, history: History | None) -> ForeignLedger | None:
    columns = ["version", "type", "applied", "total", "hash"]
    table = only(TOOL, asks.tables("atlas_schema_revisions", columns))
    if table is None:
        return None
    query = (
        "select version::text, executed_at::text, hash::text, type::text, "
        "(applied < total or coalesce(error, '') <> '')::text from {table} "
        "where version not like '.%' order by version collate \"C\""
    )
    rows = asks.rows(query, table)
    errors = [_half_done(str(row[0]), table) for row in rows if row[4] == "true"]
    found = [Recorded(str(row[0]), row[1], row[2]) for row in rows if int(row[3] or 0) != _BASELINE]
    for row in rows:
        if int(row[3] or 0) == _BASELINE:
            earlier = [m.key for m in history.migrations if m.key <= str(row[0])] if history else []
            found = [*(Recorded(key) for key in earlier), *found]
    return ForeignLedger(table, tuple(found), tuple(errors))


def _half_done(version: str, table: Table) -> PlanError:
    return PlanError(
        f"{table.quoted} says that Atlas has stopped in {version}",
        state="Nothing was adopted.",
        hint="go on with it, atlas migrate apply; or make it complete, and say so: "
        f"atlas migrate set {version}",
    )


TOOL = Tool(
    "atlas",
    "Atlas",
    _find,
    _read,
    _ledger,
    marks=(_SUM, "atlas.hcl"),
)
