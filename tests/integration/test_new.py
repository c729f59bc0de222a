"""`new` goes on as the folder began: with the next number, or with the time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conftest import Folder
from pgvouch.files.migration import Migration
from pgvouch.files.version import Version
from pgvouch.operations.authoring import next_prefix

NOW = datetime(2026, 11, 21, 17, 30, 5, 123456, tzinfo=UTC)


def _migrations(*stems: str) -> list[Migration]:
    found = []
    for stem in stems:
        version = Version.of(stem)
        assert version is not None
        found.append(Migration(stem, version, Path(), f"{stem}.sql", "", ""))
    return found


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([], "000"),
        (["001_a", "002_b"], "003"),
        (["0009_a", "010_b"], "0011"),
        (["0003.create-posts"], "0004"),
        (["1_a", "9_b"], "10"),
        (["20251107120000_a"], "20261121173005"),
        (["202511071200_a"], "202611211730"),
        (["2025110712_a"], "2026112117"),
        (["20251107_a"], "20261121"),
        (["20251107120000123_a"], "20261121173005123"),
        (["001_a", "20251107120000_b"], "20261121173005"),
        (["20261121173005_a"], "20261121173006"),
        (["20270101000000_a"], "20270101000001"),
        (["20251107_01_xxxxx-a"], "20261121_01"),
        (["20261121_01_xxxxx-a", "20261121_02_yyyyy-b"], "20261121_03"),
        (["1700000000_a"], "1795282205"),
        (["1700000000000_a"], "1795282205123"),
        (["99999999_a"], "100000000"),
    ],
)
def test_the_next_prefix(there: list[str], expected: str) -> None:
    assert next_prefix(_migrations(*there), NOW) == expected
    assert next_prefix(_migrations(*there), NOW.astimezone()) == expected


def test_what_new_writes_is_the_newest_and_of_now(folder: Folder) -> None:
    folder.write({"20251107120000_a.sql": "select 1;"})
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert folder("new", "next one").code == 0
    (path,) = folder.path.glob("*_next_one.sql")
    stamp = datetime.strptime(path.name[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    assert before <= stamp <= datetime.now(UTC)
    assert folder("new", "and another").code == 0
    assert max(folder.path.glob("*.sql")).name.endswith("_and_another.sql")


@pytest.mark.parametrize("command", ["migrate", "plan", "accept-delta"])
def test_a_migration_that_is_not_written_yet_is_called_so(folder: Folder, command: str) -> None:
    folder.write({"001_a.sql": "create table a ();"})
    folder("new", "next one")
    ran = folder(command)
    assert ran.code == 2
    assert "error: verify/002_next_one.sql is not filled in yet" in ran.err
    assert "  at      migrations/verify/002_next_one.sql:3" in ran.err
    assert "or remove it" in ran.err
    (folder.path / "verify" / "002_next_one.sql").unlink()
    assert folder(command).code == 0
