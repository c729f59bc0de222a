"""`lint` reads every file as a run would, and asks no server."""

import json
from pathlib import Path

import pytest

from conftest import ROOT, Ran
from pgvouch.cli.main import run

SOUND = {
    "001_a.sql": "-- var: password\ncreate table public.a (id int);",
    "001_a.rollback.sql": "drop table public.a;",
    "verify/001_a.sql": "-- check: there is a table\nselect to_regclass('public.a') is not null;",
    "repeat/v.sql": "create or replace view public.v as select 1 as one;",
}


class Linting:
    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.root, self.capture = root, capture
        self.write(SOUND)

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / "migrations" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def __call__(self, *arguments: str) -> Ran:
        code = run(["lint", *arguments], {})
        return Ran(code, *self.capture.readouterr())


@pytest.fixture
def lint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Linting:
    monkeypatch.chdir(tmp_path)
    return Linting(tmp_path, capsys)


def test_what_can_be_read_is_counted_without_a_url(lint: Linting) -> None:
    ran = lint()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{lint.root.name}: 2 migrations and 1 check can be read\n"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("002_b.sql", "commit;", "002_b.sql"),
        ("001_a.rollback.sql", "\\i other.sql", "001_a.rollback.sql"),
        ("verify/001_a.sql", "select true;", "verify/001_a.sql"),
        ("verify/001_a.rollback.sql", "-- check: nothing\n", "001_a.rollback.sql"),
        ("verify/001_a.delta", "what is this\n", "001_a.delta"),
        ("verify/always.sql", "-- check: \n", "always.sql"),
        ("repeat/v.sql", "commit;", "v.sql"),
        ("actors.toml", "[ann\n", "actors.toml"),
        ("001_b.sql", "select 1;", "001_b.sql"),
        ("002_b.sql", "-- transactonal: no\nselect 1;", "002_b.sql"),
    ],
)
def test_what_a_run_would_refuse_is_refused(lint: Linting, name: str, text: str, said: str) -> None:
    lint.write({name: text})
    ran = lint()
    assert ran.code == 2
    assert said in ran.err
    assert "can be read" not in ran.out


def test_all_that_is_wrong_is_told_at_once(lint: Linting) -> None:
    lint.write({"002_b.sql": "commit;", "verify/001_a.rollback.sql": "-- check: nothing\n"})
    ran = lint()
    assert "002_b.sql:1" in ran.err
    assert "verify/001_a.rollback.sql:1" in ran.err


def test_promises_that_are_required_are_missed(lint: Linting) -> None:
    lint.write({"002_b.sql": "select 1;", "../pgvouch.toml": 'verify = "required"\n'})
    ran = lint()
    assert ran.code == 2
    assert "002_b promises nothing" in ran.err


def test_a_warning_is_an_error_only_in_a_strict_project(lint: Linting) -> None:
    lint.write({"002_b.sql": "-- later\n"})
    ran = lint()
    assert ran.code == 0
    assert "warning: 002_b.sql holds no statement" in ran.err
    (document,) = json.loads(lint("--json").out)["databases"]
    assert [warning["line"] for warning in document["warnings"]] == [None]
    assert (document["migrations"], document["checks"]) == (3, 1)
    lint.write({"../pgvouch.toml": "strict = true\n"})
    assert lint().code == 2


def test_the_systems_of_this_repository_can_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(["lint"], {}) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 5
    assert run(["lint", "workouts"], {}) == 0
    assert capsys.readouterr().out.startswith("workouts: 13 migrations and ")
