"""Projects that the tools themselves have applied, as far as a registry has them."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from adopt.test_contract import SHAPE, Project
from conftest import Folder

COMMANDS: dict[str, Sequence[str]] = {
    "dbmate": ("--no-dump-schema", "up"),
    "node-pg-migrate": ("up",),
}
BACK = {"dbmate": ("--no-dump-schema", "rollback"), "node-pg-migrate": ("down",)}
FIRST = {
    "dbmate": "db/migrations/20240101000001_create_books.sql",
    "node-pg-migrate": "migrations/1704067200000_create-books.sql",
}


def run(programs: Path, project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    url = f"{project.run.url}{'&' if '?' in project.run.url else '?'}sslmode=disable"
    return subprocess.run(
        [programs / project.name, *arguments],
        cwd=project.path,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url, "HOME": str(project.path)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(params=COMMANDS)
def project(request: pytest.FixtureRequest, folder: Folder) -> Project:
    return Project(request.param, folder)


def test_what_it_has_applied_is_adopted(project: Project, real_tools: Path) -> None:
    ran = run(real_tools, project, *COMMANDS[project.name])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    before = project.ledger(), project.run.query(SHAPE)
    adopted = project.adopt()
    assert adopted.code == 0, adopted.err
    assert len(project.applied) == 3
    assert (project.ledger(), project.run.query(SHAPE)) == before
    assert "nothing to do" in project.migrate().out
    assert project.run("rollback", "--all", "--discard-data").code == 0
    assert project.run.query("select to_regclass('books') is null") == [(True,)]
    assert project.migrate().code == 0
    assert project.run.query(SHAPE) == before[1]


def test_what_it_has_taken_back_is_pending(project: Project, real_tools: Path) -> None:
    for arguments in (COMMANDS[project.name], BACK[project.name]):
        ran = run(real_tools, project, *arguments)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert project.adopt().code == 0
    assert "1 applied" in project.migrate().out
    assert project.run.query("select id from books") == [(1,)]


def test_it_goes_on_where_it_was_beside_ours(project: Project, real_tools: Path) -> None:
    """Nothing of it is changed: it has nothing to do either."""
    assert run(real_tools, project, *COMMANDS[project.name]).returncode == 0
    assert project.adopt().code == 0
    before = project.ledger()
    ran = run(real_tools, project, *COMMANDS[project.name])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert project.ledger() == before


def test_its_folder_as_it_is_makes_what_it_makes(project: Project, real_tools: Path) -> None:
    """With --migrations: each half goes its way, and no row is lost."""
    assert run(real_tools, project, *COMMANDS[project.name]).returncode == 0
    theirs = project.run.query(SHAPE), project.run.query("select * from books")
    project.run.query("drop schema public cascade")
    project.run.query("create schema public")
    project.run.path = (project.path / FIRST[project.name]).parent
    assert project.migrate().code == 0
    assert (project.run.query(SHAPE), project.run.query("select * from books")) == theirs
    assert project.run("rollback", "--all", "--discard-data").code == 0
    assert project.run.query("select to_regclass('books') is null") == [(True,)]


def test_where_it_fails_nothing_of_that_file_counts(project: Project, real_tools: Path) -> None:
    path = project.path / FIRST[project.name]
    path.write_text(path.read_text().replace("not null);", "not null);\nselect 1/0;"))
    assert run(real_tools, project, *COMMANDS[project.name]).returncode != 0
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert project.applied == []
