"""Alembic: Python revisions, which Alembic itself renders as SQL without a database.

https://alembic.sqlalchemy.org/en/latest/offline.html
Flask-Migrate has alembic.ini beside env.py, without a script_location, and its own command.
"""

import ast
import configparser
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place, UsageError
from pgvouch.files.folder import read_text
from pgvouch.sqltext.statements import each_statement

_INI = "alembic.ini"
_STEP = re.compile(
    r"^-- Running (?:upgrade|downgrade) (?P<from>[^\n>]*?) -> ?(?P<to>[^\n>]*?)[ \t]*$",
    re.MULTILINE,
)
_CONTROL = re.compile(r"(?:begin|commit)\Z", re.IGNORECASE)
_CREATED = re.compile(
    r"^create table (?P<table>\S+) \(\s*version_num varchar\(32\)", re.IGNORECASE | re.MULTILINE
)
_BOOKKEEPING = r"(?:create table|drop table|insert into|update|delete from)\s+"
_LEDGER = "alembic_version"
_NAMES = ("revision", "down_revision", "depends_on")


def _find(project: Path) -> Path | None:
    for base in (project, project.parent, project / "migrations"):
        if (base / _INI).is_file() and (folder := _versions(base)).is_dir():
            of_it = {base, folder, folder.parent}
            return folder if project in of_it or base == project / "migrations" else None
    return None


def _versions(project: Path) -> Path:
    if named := _location(project):
        return project / named.replace("%(here)s/", "") / "versions"
    return project / "versions" if _is_flask(project) else project / "alembic" / "versions"


def _is_flask(project: Path) -> bool:
    """Say whether alembic.ini is Flask-Migrate's, which knows itself where it is."""
    return (project / "env.py").is_file() and not _location(project)


def _location(project: Path) -> str:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(project / _INI))
        if named := parser.get("alembic", "script_location", fallback=""):
            return named
        if not (toml := project / "pyproject.toml").is_file():
            return ""
        said = tomllib.loads(read_text(toml)).get("tool", {}).get("alembic", {})
        return str(said.get("script_location", ""))
    except (configparser.Error, tomllib.TOMLDecodeError) as exc:
        raise FileError(f"{_INI} cannot be read: {exc}", Place(project / _INI)) from None


def _read(folder: Path) -> History:
    revisions = dict(_revisions(folder))
    order = _in_order(revisions, folder)
    project = next(base for base in folder.parents if (base / _INI).is_file())
    forwards = _rendered(project, "upgrade", "heads")
    _refuse_doubled(forwards, folder.parent / "env.py")
    created = _CREATED.search(forwards)
    table = created["table"] if created else _LEDGER
    ups = _steps(forwards, "to", table)
    if odd := sorted(ups.keys() ^ revisions.keys()):
        raise FileError(
            f"{odd[0]} is a revision to Alembic, and not in {folder.name}/"
            if odd[0] in ups
            else f"{odd[0]} is not among the revisions that Alembic renders",
            Place(folder),
            hint="all revisions have to be in this folder (move those of version_locations there), "
            "each with a line such as `revision = 'ae1027a6acf'`",
        )
    newest = [name for name in order if not any(name in r["needs"] for r in revisions.values())]
    notes = []
    if table != _LEDGER:
        said = f"Alembic's ledger has another name here: give --ledger {table}"
        notes.append(NotCarried(Place(folder.parent / "env.py"), said))
    downs: dict[str, tuple[str, bool]] = {}
    if len(newest) == 1:
        back = _rendered(project, "downgrade", f"{newest[0]}:base")
        downs = _steps(back, "from", table)
    else:
        said = f"no rollbacks: Alembic has {len(newest)} heads ({', '.join(newest)}), and so no "
        notes.append(NotCarried(Place(folder), f"{said}one way back; alembic merge joins them"))
    found = []
    for name in order:
        path = folder / str(revisions[name]["file"])
        up, is_transactional = ups[name]
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
    return History(folder, tuple(found), tuple(notes))


def _refuse_doubled(text: str, env: Path) -> None:
    """Refuse SQL in which SQLAlchemy has doubled each %, as its drivers of % parameters want it.

    Raises:
        FileError: it may be, for env.py does not say that it is not.
    """
    if "%%" in text and not (env.is_file() and "paramstyle" in read_text(env)):
        raise FileError(
            "every % is rendered as %%, so that the rows would be others",
            Place(env),
            hint='add dialect_opts={"paramstyle": "named"} to context.configure() in '
            "run_migrations_offline(), as alembic init writes it",
        )


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
                    said[target.id] = _constant(node.value, Place(path, node.lineno))
        if "revision" in said:
            needs = _names(said.get("down_revision")) | _names(said.get("depends_on"))
            yield str(said["revision"]), {"needs": needs, "file": path.name}


def _constant(node: ast.expr, place: Place) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise FileError(
            "the names of revisions have to be plain strings here: no file is run to find out",
            place,
            hint="write the value itself there",
        ) from None


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


def _rendered(project: Path, way: str, target: str) -> str:
    """Have Alembic render one direction as SQL.

    Raises:
        FileError: Alembic cannot render it without a database.
        UsageError: Alembic is not here.
    """
    if _is_flask(project):
        root, title = project.parent, "flask db"
        command = [*_program(root, "flask"), "db", way, "--sql", "-d", project.name, target]
    else:
        root, title = project, "alembic"
        command = [*_program(root, "alembic"), "-c", _INI, way, target, "--sql"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - the project's own program
    if ran.returncode:
        said = ran.stderr.strip().splitlines()
        raise FileError(
            f"{title} {way} {target} --sql has failed: {said[-1] if said else 'without a word'}",
            Place(project / _INI),
            hint="run it yourself: it has to work without a database. A revision that reads data "
            "cannot; pgvouch init --from-database takes what is there as the first migration",
        )
    return ran.stdout


def _steps(text: str, key: str, table: str) -> dict[str, tuple[str, bool]]:
    """Return for each revision its SQL, and whether all of it is in a transaction.

    Args:
        text: what Alembic has rendered.
        key: which end of a step is the revision: "to" forwards, "from" back.
        table: Alembic's own, whose statements are left out.
    """
    steps = list(_STEP.finditer(text))
    ends = [*(step.start() for step in steps[1:]), len(text)]
    bookkeeping = re.compile(rf"{_BOOKKEEPING}{re.escape(table)}(?![\w.])", re.IGNORECASE)
    return {
        step[key]: _kept(text[step.end() : end], bookkeeping, is_last=end == len(text))
        for step, end in zip(steps, ends, strict=True)
    }


def _kept(text: str, bookkeeping: re.Pattern[str], *, is_last: bool) -> tuple[str, bool]:
    """Return the statements of a revision, and whether Alembic stays in its transaction."""
    statements = [one.text for one in each_statement(text)]
    control = [one for one in statements if _CONTROL.match(one)]
    # The last COMMIT ends the whole run.
    is_transactional = len(control) <= (1 if is_last else 0)
    kept = [s for s in statements if not _CONTROL.match(s) and not bookkeeping.match(s)]
    return "".join(f"{statement};\n\n" for statement in kept), is_transactional


def _program(project: Path, name: str) -> list[str]:
    for folder in (".venv", "venv"):
        if (own := project / folder / "bin" / name).is_file():
            return [str(own.absolute())]
    if there := shutil.which(name):
        return [there]
    if find_spec(name):
        return [sys.executable, "-m", name]
    raise UsageError(
        f"{name} is not here, and it has to render the revisions as SQL",
        Place(project),
        hint="activate the project's environment, or install pgvouch into it",
    )


def _ledger(asks: Asks, history: History | None) -> ForeignLedger | None:
    table = only(TOOL, asks.tables(_LEDGER, ["version_num"]))
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
