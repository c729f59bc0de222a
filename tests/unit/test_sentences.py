"""The checks of this repository's own systems are read aloud: by names, and in somebody's place."""

import re
from pathlib import Path

import pytest

from conftest import ROOT

FILES = sorted((ROOT / "migrations").glob("*/verify/*.sql"))
LET = re.compile(r"^-- let: .*$", re.MULTILINE)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ROLE = re.compile(r"\bset\s+(?:local|session)\s+role\b|\bset\s+role\s+(?!=)", re.IGNORECASE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-3::2]))
def test_a_check_names_its_rows_and_its_actor(file: Path) -> None:
    text = LET.sub("", file.read_text())
    assert UUID.findall(text) == []
    assert ROLE.findall(text) == []


def test_they_are_few_enough_to_be_read() -> None:
    assert sum(len(file.read_text().splitlines()) for file in FILES) <= 8500
