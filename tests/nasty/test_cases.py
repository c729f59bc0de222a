"""Every folder in cases/ is a folder of migrations with a verdict: `expected.toml` says which.

`verdict` is `applied` (the table `a` is there, and a second run has nothing to do), `refused` (no
statement was run, nothing was written) or `failed` (nothing of the migration is in the database).
"""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from conftest import Folder

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir())


def _expected(name: str) -> dict[str, Any]:
    return tomllib.loads((CASES / name / "expected.toml").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_case(folder: Folder, name: str) -> None:
    expected = _expected(name)
    shutil.copytree(CASES / name, folder.path, dirs_exist_ok=True)
    (folder.path / "expected.toml").unlink()
    ran = folder("migrate", *expected.get("arguments", ()))
    said = ran.out + ran.err
    assert ran.code == expected["exit"], said
    assert "Traceback" not in said
    for fragment in expected.get("says", ()):
        assert fragment in said
    for fragment in expected.get("unsaid", ()):
        assert fragment not in said
    if "at" in expected:
        assert f"  at      migrations/{expected['at']}" in said.splitlines()
    _check_database(folder, expected)


# A headline that begins with one of these has lost its subject.
_VERBS = re.compile(
    r"(?:and|is|are|has|have|holds?|names?|promises|rolls|makes|says|depends|differs|would|cannot|"
    r"belongs|needs|gives|looks|comes|begins|ends|was|were|does|did|can|could|will)\b"
)


@pytest.mark.parametrize("name", NAMES)
def test_the_headline_has_a_subject(folder: Folder, name: str) -> None:
    expected = _expected(name)
    shutil.copytree(CASES / name, folder.path, dirs_exist_ok=True)
    (folder.path / "expected.toml").unlink()
    ran = folder("migrate", *expected.get("arguments", ()))
    headlines = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert bool(headlines) is (ran.code != 0)
    for line in headlines:
        assert not _VERBS.match(line.removeprefix("error: ")), line


def _check_database(folder: Folder, expected: dict[str, Any]) -> None:
    is_there, ledger = folder.query(
        "select to_regclass('a') is not null, to_regclass('pgvouch.migration') is not null"
    )[0]
    assert is_there is (expected["verdict"] == "applied")
    if expected["verdict"] == "refused":
        assert (
            folder.query("select from pg_class where relnamespace = 'public'::regnamespace") == []
        )
        assert not ledger or folder.query("select from pgvouch.migration") == []
    for condition in expected.get("true", ()):
        assert folder.query(f"select {condition}") == [(True,)], condition
    if expected["verdict"] == "applied":
        assert "nothing to do" in folder("migrate").out


def test_every_case_says_what_it_is() -> None:
    known = {"what", "verdict", "exit", "at", "says", "unsaid", "true", "arguments"}
    for name in NAMES:
        expected = _expected(name)
        assert expected["what"].endswith("."), name
        assert expected["verdict"] in {"applied", "refused", "failed"}
        assert expected.keys() <= known, name
        assert expected["verdict"] == "applied" or expected.get("says"), name
