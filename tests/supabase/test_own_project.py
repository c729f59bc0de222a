"""What docs/deploying.md says of Supabase, done with a small project of one's own."""

import shutil
from pathlib import Path

import pytest

from conftest import ROOT, query
from pgvouch.cli import main

from .project import Live

OLD = """-- unless: to_regclass('public.notes') is not null
SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
create table public.notes (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  body text not null
);
create index on public.notes (user_id);
"""
POLICIES = (
    '-- stamp: owner_policies(table="notes", owner="user_id", commands=["select", "insert"])\n'
)
GRANTS = '-- stamp: grants(table="notes", to={"authenticated": ["select", "insert"]})\n'


class Project:
    """Files in a folder, and the command line."""

    def __init__(
        self, live: Live, root: Path, capsys: pytest.CaptureFixture[str], *, inner: str
    ) -> None:
        self.root, self.folder = root, root / "db" / inner
        self._live, self._capsys = live, capsys
        shutil.copytree(ROOT / "migrations" / "_supabase", self.folder.parent / "_supabase")
        self.write("20240101120000_notes.sql", OLD)
        self.write("20240101120000_notes.rollback.sql", "drop table public.notes;")
        self.write(
            "20240102120000_open.sql",
            f"alter table public.notes enable row level security;\n{POLICIES}{GRANTS}",
        )
        self.write("20240102120000_open.rollback.sql", f"{POLICIES}{GRANTS}")
        self.write("verify/20240102120000_open.sql", f"{POLICIES}{GRANTS}")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def __call__(self, *arguments: str) -> tuple[int, str]:
        self._capsys.readouterr()
        config = str(self.root / "pgvouch.toml")
        where = [] if arguments[0] == "stamp" else ["--url", self._live.admin]
        code = main.run([*arguments, "--config", config, *where], {})
        out, err = self._capsys.readouterr()
        return code, out + err


@pytest.mark.parametrize(
    ("inner", "settings"),
    [
        ("notes", 'migrations = "db"\n[databases.notes]\nrequires = ["_supabase"]\n'),
        ("migrations", 'migrations = "db/migrations"\nrequires = ["_supabase"]\n'),
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_the_guide_s_steps(
    live: Live,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    inner: str,
    settings: str,
    is_there: bool,
) -> None:
    if is_there:
        query(live.admin, OLD)
    project = Project(live, tmp_path, capsys, inner=inner)
    (tmp_path / "pgvouch.toml").write_text(settings)
    code, said = project("stamp")
    assert code == 0, said
    code, said = project("migrate", "--verbose")
    assert code == 0, said
    assert said.count("provided: the database has it already") == 4 + is_there
    code, said = project("verify")
    assert code == 0, said
    assert "hold, 0 broken" in said
    code, said = project("rollback", "--all")
    assert code == 0, said
    assert query(live.admin, "select to_regclass('public.notes') is not null") == [(is_there,)]


def test_a_set_that_is_not_there_is_told_where_to_get(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001_a.sql").write_text("create table a ();")
    (tmp_path / "pgvouch.toml").write_text('requires = ["_supabase"]')
    given = ["--config", str(tmp_path / "pgvouch.toml"), "--url", "postgresql:///never"]
    assert main.run(["status", *given], {}) == 2
    said = capsys.readouterr().err
    assert "the platform set _supabase is required and not there" in said
    assert "beside the one with your files; pgvouch's own sets are in migrations/ of its" in said
