"""Sqitch: a plan, and for each change a script to deploy, to revert and to verify it.

https://github.com/sqitchers/sqitch: App::Sqitch::Plan, App::Sqitch::Engine::pg
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from pgvouch.adopt.folders import digests
from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.adopt.verifying import as_checks
from pgvouch.errors import FileError, Place
from pgvouch.files.folder import read_text
from pgvouch.sqltext.scan import tokens

_SECTION = re.compile(r"\[(?P<name>[^\]]*)\]")
_NAMED = re.compile(r"[+]?[ \t]*(?P<name>[^\s\[#]+)")
_ELSEWHERE = re.compile(r"\[[^\]]*?(?P<project>[^\s\[!:]+):[^\]]*\]")
_LOCK = 75474063


@dataclass
class _Change:
    name: str
    line: int
    tags: list[str] = field(default_factory=list)
    project: str | None = None
    """Another project, of which it requires something."""


@dataclass
class _Project:
    """A project as its plan and sqitch.conf say it."""

    plan: Path
    top: Path
    given: dict[str, str]
    variables: frozenset[str]
    name: str = ""
    changes: list[_Change] = field(default_factory=list)

    def script(self, kind: str, name: str) -> Path:
        folder = self.top / self.given.get(f"{kind}_dir", kind)
        return folder / f"{name}.{self.given.get('extension', 'sql')}"


def _find(project: Path) -> Path | None:
    for root in (project, project / "sqitch", project / "db"):
        plan = _settings(root).plan
        if plan.is_file() and plan.absolute().is_relative_to(project.absolute()):
            return plan.parent
    return None


def _settings(folder: Path) -> _Project:
    """Return what sqitch.conf says, in a folder or above it."""
    parents = (folder, *folder.absolute().parents[:3])
    conf = next((p / "sqitch.conf" for p in parents if (p / "sqitch.conf").is_file()), None)
    given: dict[str, str] = {}
    variables = set()
    section = ""
    for line in map(str.strip, read_text(conf).splitlines() if conf else ()):
        if match := _SECTION.match(line):
            section = match["name"]
        elif line[:1] not in {"#", ";", ""}:
            name, _, value = (part.strip() for part in line.partition("="))
            if "variables" in section:
                variables.add(name)
            else:
                given[name] = value.strip('"')
    root = conf.parent if conf else folder
    plan = root / given.get("plan_file", f"{given.get('top_dir', '.')}/sqitch.plan")
    if not plan.is_file():  # that sqitch.conf is of another project
        root, plan = folder, folder / "sqitch.plan"
    top = root / given["top_dir"] if "top_dir" in given else plan.parent
    return _Project(plan, top, given, frozenset(variables))


def _project(folder: Path) -> _Project:
    """Return the project of a plan.

    Raises:
        FileError: a line that Sqitch itself does not deploy by.
    """
    found = _settings(folder)
    for number, line in enumerate(read_text(found.plan).splitlines(), 1):
        said = line.strip()
        if said.startswith("%project="):
            found.name = said.partition("=")[2].strip()
        elif not said or said[0] in "#%":
            continue
        elif said.startswith("@"):
            if found.changes:
                found.changes[-1].tags.append(said[1:].split()[0])
        elif match := _NAMED.match(said):
            other = _ELSEWHERE.search(said.partition("#")[0])
            change = _Change(match["name"], number, project=other["project"] if other else None)
            found.changes.append(change)
    return found


def _read(folder: Path) -> History:
    project = _project(folder)
    notes: list[NotCarried] = []
    found = []
    for number, change in enumerate(project.changes):
        place = Place(project.plan, change.line)
        if change.project not in {None, project.name}:
            said = f"it requires something of {change.project}, which has to be there before"
            notes.append(NotCarried(place, said))
        stem, is_last = _stem(project, number, place)
        found.append(_foreign(project, number, stem, notes, is_last=is_last))
    return History(folder, tuple(found), tuple(notes))


def _stem(project: _Project, number: int, place: Place) -> tuple[str, bool]:
    """Return what the scripts of a change are called, and whether it is not reworked later.

    Raises:
        FileError: its script is not there.
    """
    name = project.changes[number].name
    later = (n for n, one in enumerate(project.changes) if one.name == name and n > number)
    end = next(later, None)
    tags = [tag for one in project.changes[number:end] for tag in one.tags]
    names = [name] if end is None else [f"{name}@{tag}" for tag in tags]
    for stem in names:
        if project.script("deploy", stem).is_file():
            return stem, end is None
    missing = project.script("deploy", names[0] if names else name)
    raise FileError(
        f"the plan has {name}, and {missing.parent.name}/{missing.name} is not there",
        place,
        hint="bring the file back, as Sqitch wants it",
    )


def _foreign(
    project: _Project, number: int, stem: str, notes: list[NotCarried], *, is_last: bool
) -> Foreign:
    path, back = project.script("deploy", stem), project.script("revert", stem)
    up = read_text(path)
    down = read_text(back) if back.is_file() else None
    names = tuple(_variables(project, up))
    down_names = tuple(_variables(project, down or ""))
    for name in dict.fromkeys((*names, *down_names)):
        said = f":{name} has to be given: with --var {name}=… or in the environment"
        notes.append(NotCarried(Place(path), said))
    return Foreign(
        key=_key(project, number),
        path=path,
        number="",
        words=project.changes[number].name,
        up=up,
        down=down,
        down_path=back,
        verify=_verify(project, stem, notes, is_last=is_last),
        variables=names,
        down_variables=down_names,
        checksums=digests(path, "sha1"),
    )


def _key(project: _Project, number: int) -> str:
    """Return a name for a change, which says the how manieth one of its name it is."""
    name = project.changes[number].name
    return _nth(name, sum(one.name == name for one in project.changes[: number + 1]))


def _nth(name: str, count: int) -> str:
    return name if count == 1 else f"{name} ({count})"


def _variables(project: _Project, text: str) -> Iterator[str]:
    """Yield the psql variables of a script: quoted ones, and those that sqitch.conf gives."""
    try:
        found = tokens(text)
    except SyntaxError:  # PostgreSQL names the place, when it is run
        return
    seen = set()
    for colon, word in pairwise(found):
        if colon.kind != ":" or word.start != colon.end:
            continue
        name = text[word.start : word.end]
        is_quoted = name[0] in "'\"" and name[0] == name[-1]
        name = name[1:-1] if is_quoted else name
        if name.isidentifier() and name not in seen and (is_quoted or name in project.variables):
            seen.add(name)
            yield name


def _verify(project: _Project, stem: str, notes: list[NotCarried], *, is_last: bool) -> str | None:
    path = project.script("verify", stem)
    if not path.is_file():
        return None
    if not is_last:
        said = "its checks are left out, as Sqitch does: the change is reworked later"
        notes.append(NotCarried(Place(path), said))
        return None
    text = read_text(path)
    if any(True for _ in _variables(project, text)):
        said = "its checks are left out, for psql variables are in them: write them with `-- let:`"
        notes.append(NotCarried(Place(path), said))
        return None
    try:
        return as_checks(text, stem)
    except ValueError as exc:
        said = f"its checks are left out ({exc}): write them by hand into verify/"
        notes.append(NotCarried(Place(path), said))
        return None


def _ledger(asks: Asks, history: History | None) -> ForeignLedger | None:
    needed = ["change_id", "script_hash", "change", "project", "committed_at"]
    table = only(TOOL, asks.tables("changes", needed))
    if table is None:
        return None
    query = (
        "select change::text, project::text, script_hash::text, committed_at::text from {table} "
        "order by committed_at"
    )
    own = _project(history.folder).name if history else None
    seen: dict[str, int] = {}
    found = []
    for name, project, stored, at in asks.rows(query, table):
        if own is not None and project != own:
            continue  # a registry is shared by all projects of the database
        count = seen[str(name)] = seen.get(str(name), 0) + 1
        found.append(Recorded(_nth(str(name), count), at, stored))
    return ForeignLedger(table, tuple(found))


TOOL = Tool(
    "sqitch",
    "Sqitch",
    _find,
    _read,
    _ledger,
    lock=lambda _table, _database: _LOCK,
    marks=("sqitch.conf", "sqitch.plan"),
)
