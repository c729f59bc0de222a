"""yoyo: its files are ours, and its ledger is taken over as it is.

https://ollycope.com/software/yoyo/latest/
"""

import configparser
import re
from pathlib import Path

from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import Place, PlanError
from pgvouch.files.folder import read_text
from pgvouch.files.version import ROLLBACK, Version

_STEPS = re.compile(r"^(?:from yoyo import|import yoyo)\b", re.MULTILINE)
_HOOK = "post-apply"


def _find(project: Path) -> Path | None:
    for base in (project, project.parent):
        if (base / "yoyo.ini").is_file():
            named = _sources(base / "yoyo.ini")
            for folder in (*(base / name for name in named), base / "migrations"):
                if folder.is_dir() and project in {base, folder}:
                    return folder
    for folder in (project / "migrations", project):
        if any(_STEPS.search(read_text(path)) for path in sorted(folder.glob("*.py"))[:20]):
            return folder
    return None


def _sources(file: Path) -> list[str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(file))
    except configparser.Error:
        return []
    return parser.get("DEFAULT", "sources", fallback="").split()


def _read(folder: Path) -> History:
    names = sorted(path.name for path in folder.iterdir() if path.suffix in {".sql", ".py"})
    hooks = [name for name in names if name.startswith(_HOOK)]
    not_carried = [
        NotCarried(
            Place(folder / name),
            f"{name} is left out: yoyo runs it after each apply, and pgvouch does not; what is to "
            "be run again belongs in repeat/",
        )
        for name in hooks
    ]
    found = []
    for name in names:
        stem = name.removesuffix(".sql").removesuffix(".py")
        if name in hooks or name.endswith(ROLLBACK):
            continue
        number = "" if Version.of(stem) is None else stem
        found.append(_foreign(folder, name, stem, number))
    if all(one.number for one in found):
        found.sort(key=lambda one: (Version.of(one.key) or Version(0), one.key))
    return History(folder, tuple(found), tuple(not_carried))


def _foreign(folder: Path, name: str, stem: str, number: str) -> Foreign:
    path, back = folder / name, folder / f"{stem}{ROLLBACK}"
    down = read_text(back) if back.exists() else None
    return Foreign(
        stem, path, number, stem, read_text(path), down=down, down_path=back, is_ours=True
    )


def _ledger(asks: Asks, _history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables("_yoyo_migration", ["migration_id", "applied_at_utc"]))
    if table is None:
        return None
    query = (
        "select migration_id::text, (applied_at_utc at time zone 'UTC')::text from {table} "
        "order by applied_at_utc, migration_id"
    )
    rows = tuple(Recorded(str(row[0]), row[1]) for row in asks.rows(query, table))
    locks = [t for t in asks.tables("yoyo_lock", ["locked", "pid"]) if t.schema == table.schema]
    errors = [
        _locked(str(row[0]))
        for lock in locks
        for row in asks.rows("select pid::text from {table} where locked = 1", lock)
    ]
    return ForeignLedger(table, rows, tuple(errors))


def _locked(pid: str) -> PlanError:
    return PlanError(
        f"yoyo_lock is held by process {pid}: yoyo is at work on this database, or was killed",
        state="Nothing was adopted.",
        hint="wait until it has ended; if it was killed: yoyo break-lock",
    )


TOOL = Tool("yoyo", "yoyo", _find, _read, _ledger, marks=("yoyo.ini",))
