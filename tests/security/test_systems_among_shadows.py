"""Whoever may create something in public gets nothing run by the systems' checks, which a superuser may run."""

from pathlib import Path

import pytest

from conftest import ROOT, query
from pgvouch.cli import main
from pgvouch.config.project import database_names, find_project

SHADOWS = (Path(__file__).parent / "shadows.sql").read_text()


def run(command: str, system: str, url: str, *options: str) -> int:
    arguments = ["--config", str(ROOT / "pyproject.toml"), "--url", url]
    return main.run([command, system, *options, *arguments], {})


@pytest.mark.parametrize("system", database_names(find_project(ROOT / "pyproject.toml")))
def test_neither_verify_nor_a_rollback_runs_anything_of_them(
    every_url: str, system: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("migrate", system, every_url) == 0
    query(every_url, SHADOWS)
    # They are no part of the system, and what always holds says so; every other promise holds.
    assert run("verify", system, every_url) == 1
    out = capsys.readouterr().out
    assert "of public was run" not in out, out
    broken = [line.split()[1] for line in out.splitlines() if "✗" in line]
    assert set(broken) <= {"always:", "_supabase/always:"}, out
    assert run("rollback", system, every_url, "--all", "--discard-data") == 0
    # Whatever of them is run moves this sequence.
    assert query(every_url, "select pg_catalog.nextval('public.ran')") == [(1,)]
