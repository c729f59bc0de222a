"""Alembic: Python revisions, which Alembic itself renders as SQL without a database.

https://alembic.sqlalchemy.org/en/latest/offline.html
"""

import ast
import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from pgvouch.adopt.history import Foreign, ForeignLedger, History, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place, UsageError
from pgvouch.files.folder import read_text
from pgvouch.sqltext.statements import each_statement

_INI = "alembic.ini"
_STEP = re.compile(
    r"^-- Running (?P<way>upgrade|downgrade) (?P<from>\S*) -> ?(?P<to>\S*)\s*$", re.M
)
_CONTROL = re.compile(r"(?:begin|commit)\Z", re.IGNORECASE)
_BOOKKEEPING = re.compile(
    r"(?:create table|drop table|insert into|update|delete from)\s+(?:\S+\.)?alembic_version\b",
    re.IGNORECASE,
)
_NAMES = ("revision", "down_revision", "depends_on")


def _find(project: Path) -> Path | None:
    for base in (project, project.parent):
        if (base / _INI).is_file() and (folder := _versions(base)).is_dir():
            return folder if project in {base, folder, folder.parent} else None
    return None


def _versions(project: Path) -> Path:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(project / _INI))
    except configparser.Error as exc:
        raise FileError(f"{_INI} cannot be read: {exc}", Place(project / _INI)) from None
    named = parser.get("alembic", "script_location", fallback="alembic")
    return project / named.replace("%(here)s/", "") / "versions"


def _read(folder: Path) -> History:
    revisions = dict(_revisions(folder))
    order = _in_order(revisions, folder)
    project = next(base for base in folder.parents if (base / _INI).is_file())
    ups = _rendered(project, "upgrade", "heads")
    newest = [name for name in order if not any(name in r["needs"] for r in revisions.values())]
    # Several heads have no one way back.
    downs = _rendered(project, "downgrade", f"{newest[0]}:base") if len(newest) == 1 else {}
    found = []
    for name in order:
        path = folder / str(revisions[name]["file"])
        up, is_transactional = ups.get(name, ("", True))
        down, is_down_transactional = downs.get(name, (None, True))
        found.append(
            Foreign(
                name,
                path,
                "",
                path.stem.partition(f"{name}_")[2] or path.stem,
                up,
                down=down,
                is_transactional=is_transactional,
                is_down_transactional=is_down_transactional,
                depends=tuple(sorted(revisions[name]["needs"])),
            )
        )
    return History(folder, tuple(found))


def _revisions(folder: Path) -> Iterator[tuple[str, Mapping[str, "frozenset[str] | str"]]]:
    """Yield each revision with what it comes after; no file is run."""
    for path in sorted(folder.glob("*.py")):
        said: dict[str, object] = {}
        try:
            tree = ast.parse(read_text(path))
        except SyntaxError as exc:
            raise FileError(f"{path.name} is no Python: {exc}", Place(path, exc.lineno)) from None
        for node in tree.body:
            if isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None:
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                if isinstance(target, ast.Name) and target.id in _NAMES:
                    said[target.id] = ast.literal_eval(node.value)
        if "revision" in said:
            needs = _names(said.get("down_revision")) | _names(said.get("depends_on"))
            yield str(said["revision"]), {"needs": needs, "file": path.name}


def _names(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset({value})
    return frozenset(map(str, value)) if isinstance(value, list | tuple | set) else frozenset()


def _in_order(
    revisions: Mapping[str, Mapping[str, "frozenset[str] | str"]], folder: Path
) -> list[str]:
    """Return the revisions in one line, each behind what it comes after."""
    done: list[str] = []
    left = dict(revisions)
    while left:
        ready = sorted(name for name, said in left.items() if set(done).issuperset(said["needs"]))
        if not ready:
            raise FileError(
                f"{min(left)} comes after a revision that is not here",
                Place(folder / str(left[min(left)]["file"])),
                hint="alembic history shows the line; alembic check",
            )
        done += ready
        for name in ready:
            del left[name]
    return done


def _rendered(project: Path, way: str, target: str) -> dict[str, tuple[str, bool]]:
    """Have Alembic render one direction as SQL; return it by revision.

    Returns:
        For each revision its SQL, and whether all of it is in a transaction.

    Raises:
        FileError: Alembic cannot render it without a database.
        UsageError: Alembic is not here.
    """
    command = [*_program(project), "-c", _INI, way, target, "--sql"]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)  # noqa: S603 - the project's own program
    if ran.returncode:
        said = ran.stderr.strip().splitlines()
        raise FileError(
            f"alembic {way} {target} --sql has failed: {said[-1] if said else 'without a word'}",
            Place(project / _INI),
            hint="a revision that reads data cannot be rendered without a database; pgvouch "
            "init --from-database takes what is there as the first migration",
        )
    steps = list(_STEP.finditer(ran.stdout))
    ends = [*(step.start() for step in steps[1:]), len(ran.stdout)]
    found = {}
    for step, end in zip(steps, ends, strict=True):
        name = step["to"] if way == "upgrade" else step["from"]
        found[name] = _kept(ran.stdout[step.end() : end], is_last=end == len(ran.stdout))
    return found


def _kept(text: str, *, is_last: bool) -> tuple[str, bool]:
    """Return the statements of a revision, and whether Alembic stays in its transaction."""
    statements = [one.text for one in each_statement(text)]
    control = [one for one in statements if _CONTROL.match(one)]
    # The last COMMIT ends the whole run.
    is_transactional = len(control) <= (1 if is_last else 0)
    kept = [s for s in statements if not _CONTROL.match(s) and not _BOOKKEEPING.match(s)]
    return "".join(f"{statement};\n\n" for statement in kept), is_transactional


def _program(project: Path) -> list[str]:
    for folder in (".venv", "venv"):
        if (own := project / folder / "bin" / "alembic").is_file():
            return [str(own.absolute())]
    if there := shutil.which("alembic"):
        return [there]
    if find_spec("alembic"):
        return [sys.executable, "-m", "alembic"]
    raise UsageError(
        "Alembic is not here, and it has to render its revisions as SQL",
        Place(project / _INI),
        hint="activate the project's environment, or install pgvouch into it",
    )


def _ledger(asks: Asks, history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables("alembic_version", ["version_num"]))
    if table is None:
        return None
    heads = [str(row[0]) for row in asks.rows("select version_num::text from {table}", table)]
    by_key = history.by_key if history else {}
    applied: set[str] = set()
    left = list(heads)
    while left:
        name = left.pop()
        if name not in applied:
            applied.add(name)
            left += by_key[name].depends if name in by_key else ()
    order = [one.key for one in history.migrations] if history else []
    known = [name for name in order if name in applied]
    return ForeignLedger(table, tuple(map(Recorded, [*known, *(applied - set(known))])))


TOOL = Tool("alembic", "Alembic", _find, _read, _ledger, marks=(_INI,))
