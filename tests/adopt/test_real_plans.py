"""Projects of tools with a plan, a journal or a chain of hashes, which these tools have applied."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from adopt.test_contract import SHAPE, Project
from conftest import Folder

COMMANDS = {
    "sqitch": ("sqitch", "deploy", "--verify", "--target"),
    "drizzle": ("drizzle-kit", "migrate"),
    "graphile-migrate": ("graphile-migrate", "migrate"),
}


class Real(Project):
    """A project with its tool."""

    programs: Path

    def tool(self, *command: str) -> subprocess.CompletedProcess[str]:
        given = conninfo_to_dict(self.run.url)
        environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "HOME": str(self.path),
            "DATABASE_URL": f"{self.run.url}{'&' if '?' in self.run.url else '?'}sslmode=disable",
            "PGHOST": str(given["host"]),
            "PGPORT": str(given["port"]),
            "PGUSER": str(given["user"]),
            "SQITCH_FULLNAME": "release",
            "SQITCH_EMAIL": "release@example.org",
        }
        if command[0] == "sqitch":
            command = (*command, f"db:pg:{given['dbname']}")
        return subprocess.run(
            command, cwd=self.path, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(params=COMMANDS)
def project(request: pytest.FixtureRequest, folder: Folder) -> Real:
    found = Real(request.param, folder)
    if request.param == "sqitch":
        if shutil.which("sqitch") is None:
            pytest.skip("Sqitch is not installed here")
        found.programs = Path("/usr/bin")
        return found
    found.programs = request.getfixturevalue("real_tools")
    (found.path / "node_modules").symlink_to(found.programs.parent)
    return found


def applied(project: Real) -> None:
    ran = project.tool(*COMMANDS[project.name])
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_it_has_applied_is_adopted(project: Real) -> None:
    applied(project)
    before = project.ledger(), project.run.query(SHAPE)
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert len(project.applied) == project.given.get("applied", 3)
    assert (project.ledger(), project.run.query(SHAPE)) == before
    assert "nothing to do" in project.migrate().out
    assert project.run("verify").code == 0


def test_ours_make_what_it_makes(project: Real) -> None:
    applied(project)
    theirs = project.run.query(SHAPE), project.run.query("select * from books")
    assert project.adopt("--files-only").code == 0
    project.run.query("drop schema public cascade")
    project.run.query("create schema public")
    ran = project.migrate()
    assert ran.code == 0, ran.err
    assert (project.run.query(SHAPE), project.run.query("select * from books")) == theirs


def test_it_has_nothing_to_do_either_afterwards(project: Real) -> None:
    applied(project)
    assert project.adopt().code == 0
    before = project.ledger()
    ran = project.tool(*COMMANDS[project.name])
    assert ran.returncode == (1 if "nothing to deploy" in ran.stdout + ran.stderr.lower() else 0)
    assert project.ledger() == before


def test_what_sqitch_has_reverted_is_pending(folder: Folder) -> None:
    if shutil.which("sqitch") is None:
        pytest.skip("Sqitch is not installed here")
    project = Real("sqitch", folder)
    project.programs = Path("/usr/bin")
    applied(project)
    ran = project.tool("sqitch", "revert", "-y", "--to", "@HEAD^", "--target")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert project.adopt().code == 0
    assert "1 applied" in project.migrate().out
    assert project.run.query("select id from books") == [(1,)]
