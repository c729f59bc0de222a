"""`new` goes on as the folder began: with the next number, or with the time."""

import os
import pty
import shlex
import subprocess
import sys
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
        ([], "001"),
        (["001_a", "002_b"], "003"),
        (["0009_a", "010_b"], "0011"),
        (["0003.create-posts"], "0004"),
        (["1_a", "9_b"], "10"),
        (["20251107120000_a"], "20261121173005"),
        (["202511071200_a"], "202611211730"),
        (["2025110712_a"], "2026112117"),
        (["20251107_a"], "20261121"),
        (["20261121_a"], "20261121173005"),
        (["20261122_a"], "20261121173005"),
        (["20251107120000123_a"], "20261121173005123"),
        (["001_a", "20251107120000_b"], "20261121173005"),
        (["20261121173005_a"], "20261121173006"),
        (["20270101000000_a"], "20270101000001"),
        (["20251107_01_xxxxx-a"], "20261121_173005"),
        (["20261121_01_xxxxx-a", "20261121_02_yyyyy-b"], "20261121_173005"),
        (["20261121_235900_a"], "20261121_235901"),
        (["20261122_01_xxxxx-a"], "20261122_173005"),
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


@pytest.mark.parametrize("there", [[], ["001_a", "002_b"], ["20251107_a"]])
def test_the_time_where_it_is_asked_for(there: list[str]) -> None:
    found = next_prefix(_migrations(*there), NOW, timestamp=True)
    assert found == "20261121173005"


def test_two_branches_that_count_by_the_time_do_not_collide() -> None:
    there = _migrations("20251107120000_a", "20251108_01_b")
    first = next_prefix(there, NOW)
    assert first != next_prefix(there, NOW + timedelta(seconds=1))
    by_day = _migrations("20251107_01_xxxxx-a")
    assert next_prefix(by_day, NOW) != next_prefix(by_day, NOW + timedelta(seconds=1))


def test_a_migration_from_its_statement(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table public.a (id int);"})
    ran = folder("new", "add name", "--sql", "alter table public.a add column name text")
    assert ran.code == 0, ran.err
    written = folder.path / "002_add_name.sql"
    assert written.read_text() == ("-- Add name.\n\nalter table public.a add column name text;\n")
    ran = folder("migrate")
    assert ran.err.count("is not filled in yet") == 2, "what is left is the rollback, and a promise"
    (folder.path / "002_add_name.rollback.sql").write_text(
        "alter table public.a drop column name;\n"
    )
    (folder.path / "verify" / "002_add_name.sql").unlink()
    assert folder("migrate").code == 0


def test_a_migration_from_a_template(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table public.a (id int, updated_at timestamptz);\n"
            "create function public.update_updated_at() returns trigger language plpgsql as "
            "$$begin new.updated_at := now(); return new; end$$;\n"
        }
    )
    ran = folder("new", "touch a", "--stamp", 'updated_at_trigger(table="a")')
    assert ran.code == 0, ran.err
    assert len(ran.out.splitlines()) == 3
    assert folder("stamp", "--check").code == 0
    ran = folder("migrate")
    assert (ran.code, "002_touch_a" in ran.err) == (0, True), ran.err
    assert "check" in ran.err
    assert folder("rollback").code == 0


@pytest.mark.parametrize("call", ["no_such()", "updated_at_trigger(", "updated_at_trigger()"])
def test_a_stamp_that_cannot_be_expanded_leaves_no_file(folder: Folder, call: str) -> None:
    ran = folder("new", "touch a", "--stamp", call)
    assert ran.code == 2
    assert "error: " in ran.err
    assert not list(folder.path.rglob("*.sql"))


def test_what_cannot_be_written_leaves_no_file(folder: Folder) -> None:
    ran = folder("new", "a", "--sql", "select '\udcff'")
    assert (ran.code, "not UTF-8" in ran.err) == (2, True)
    assert not any(folder.path.iterdir())
    (folder.path / "verify").write_text("")
    ran = folder("new", "a")
    assert (ran.code, "File exists" in ran.err) == (2, True)
    assert [path.name for path in folder.path.iterdir()] == ["verify"]


def test_an_editor_needs_a_terminal(folder: Folder) -> None:
    ran = folder("new", "next one", "--edit")
    assert ran.code == 2
    assert "--edit needs a terminal" in ran.err
    assert not list(folder.path.rglob("*.sql"))


def test_the_editor_is_given_all_three_files(folder: Folder, tmp_path: Path) -> None:
    editor = tmp_path / "an editor"
    editor.write_text(f'#!/bin/sh\necho "$@" > {shlex.quote(str(tmp_path / "opened"))}\n')
    editor.chmod(0o755)
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "pgvouch", "new", "next one", "--edit"],
        cwd=tmp_path,
        env={**os.environ, "VISUAL": f"'{editor}' --wait"},
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    opened = (tmp_path / "opened").read_text().split()
    assert opened[0] == "--wait"
    assert [Path(name).exists() for name in opened[1:]] == [True] * 3
    assert len(opened) == 4


@pytest.mark.parametrize("command", ["migrate", "plan", "accept-delta"])
def test_a_migration_that_is_not_written_yet_is_called_so(folder: Folder, command: str) -> None:
    folder.write({"001_a.sql": "create table a ();"})
    folder("new", "next one")
    ran = folder(command)
    assert ran.code == 2
    for name in ("002_next_one.sql", "002_next_one.rollback.sql", "verify/002_next_one.sql"):
        assert f"error: {name} is not filled in yet: " in ran.err
        assert f"  at      migrations/{name}:2" in ran.err
    assert "or remove the file" in ran.err
    (folder.path / "002_next_one.sql").write_text("create table b ();")
    (folder.path / "002_next_one.rollback.sql").write_text("drop table b;")
    (folder.path / "verify" / "002_next_one.sql").unlink()
    assert folder(command).code == 0
