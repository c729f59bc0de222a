"""The Makefile's targets, and hints in its words."""

import subprocess

import pytest

from conftest import ROOT, Folder
from pgvouch.cli import as_text
from pgvouch.errors import UsageError


@pytest.mark.parametrize(
    ("hint", "typed"),
    [
        (
            "save them first, then the same command with --discard-data",
            "save them first, then the same command with DISCARD=1",
        ),
        ("name one: pgvouch rollback notes", "name one: make rollback DB=notes"),
        ("pgvouch status lists them", "make status lists them"),
        ("pgvouch migrate --to 001_a", ".venv/bin/pgvouch migrate --to 001_a"),
        ("then pgvouch repair 1 --done", "then .venv/bin/pgvouch repair 1 --done"),
        ("pip install 'pgvouch[embedded]'", "pip install 'pgvouch[embedded]'"),
        ("yoyo runs it and pgvouch does not", "yoyo runs it and pgvouch does not"),
    ],
)
def test_hints_under_make(
    hint: str, typed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGVOUCH_HINTS", raising=False)
    as_text.print_error(UsageError("no", hint=hint))
    assert hint in capsys.readouterr().err
    monkeypatch.setenv("PGVOUCH_HINTS", "make")
    as_text.print_error(UsageError("no", hint=hint))
    assert capsys.readouterr().err.endswith(f"{typed}\n")


@pytest.mark.skipif(not (ROOT / ".venv" / "installed").exists(), reason="not started by make")
def test_make_rollback_asks_which_database(url: str) -> None:
    del url  # the server is up; nothing of it is touched
    ran = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "rollback",
            "DATABASE_URL=postgresql://nobody@127.0.0.1:1",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "which database?" in ran.stderr
    assert "make rollback DB=coding_sessions" in ran.stderr


def test_several_databases_are_rolled_back_by_name(folder: Folder) -> None:
    folder.write(
        {
            f"{name}/001_a.{kind}": f"{verb} table {name} {'()' * (verb == 'create')};"
            for name in ("one", "two")
            for kind, verb in (("sql", "create"), ("rollback.sql", "drop"))
        }
    )
    server = folder.url.replace("/t_", "/?x=").split("?x=")[0]
    base = server + "?" + folder.url.split("?")[1]
    assert folder("migrate", "--create-database", url=base).code == 0
    try:
        ran = folder("rollback", url=base)
        assert ran.code == 2
        assert "here are one, two" in ran.err
        dry = folder("rollback", "one", "two", "--dry-run", url=base)
        assert dry.out.index("-- one: 1 to roll back") < dry.out.index("-- two: 1 to roll back")
        ran = folder("rollback", "one", "two", url=base)
        assert ran.code == 0, ran.err
        assert ran.out.count("1 rolled back") == 2
    finally:
        folder.query("drop database if exists one")
        folder.query("drop database if exists two")
