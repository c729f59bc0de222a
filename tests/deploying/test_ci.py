"""What others take from this repository for their CI: the action, and the hooks of pre-commit."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from deploying import documents
from deploying.commands import refuse_unknown
from pgvouch.cli.main import run

ACTION = documents.load((ROOT / "action.yml").read_text())
HOOKS = documents.load((ROOT / ".pre-commit-hooks.yaml").read_text())
GUIDE = (ROOT / "docs" / "deploying.md").read_text()
STAMP = '-- stamp: grants(table="a", grants={"authenticated": ["select"]})\n'
FILES = {
    "001_a.sql": "create table public.a (id int);",
    "001_a.rollback.sql": "drop table public.a;",
    "verify/001_a.sql": "-- check: a is there\nselect to_regclass('public.a') is not null;",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "migrations" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_a_hook_is_a_command_that_needs_no_server(hook: dict[str, Any], project: Path) -> None:
    program, *arguments = shlex.split(hook["entry"])
    assert program == "pgvouch"
    refuse_unknown([program, *arguments])
    assert hook["language"] == "python", "pre-commit installs the program from this repository"
    assert re.search(hook["files"], "migrations/001_a.sql")
    assert run(arguments, {}) == 0
    (project / "migrations" / "002_b.sql").write_text(STAMP if "stamp" in hook["id"] else "commit;")
    assert run(arguments, {}) in {1, 2}


def test_the_guide_names_the_hooks_that_are_there() -> None:
    assert set(re.findall(r"- id: (\S+)", GUIDE)) == {hook["id"] for hook in HOOKS}


def _step(project: Path, url: str, commands: str) -> "subprocess.CompletedProcess[str]":
    """Run the last step of the action as its runner would."""
    script = ACTION["runs"]["steps"][-1]
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COMMANDS": commands,
        "DATABASE_URL": url,
    }
    assert set(script["env"]) == environment.keys() - {"PATH"}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script["run"]],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_action_runs_its_commands(project: Path, url: str) -> None:
    commands = ACTION["inputs"]["commands"]["default"]
    ran = _step(project, url, commands)
    assert ran.returncode == 0, ran.stderr
    assert "can be read" in ran.stdout
    assert "no stamps" in ran.stdout
    assert "1 rehearsed, 1 check passed" in ran.stdout


def test_the_action_marks_the_line_and_fails(project: Path, url: str) -> None:
    (project / "migrations" / "001_a.sql").write_text("create table public.b (id int);")
    ran = _step(project, url, "lint\n\nmigrate --rehearse\nstatus\n")
    assert ran.returncode != 0
    assert "::error file=migrations/verify/001_a.sql,line=1" in ran.stdout + ran.stderr
    assert "pending" not in ran.stdout, "the first that fails is the last"


def test_the_action_s_commands_are_words_and_no_script(project: Path, url: str) -> None:
    ran = _step(project, url, "lint; touch injected\nlint $(touch injected)\n")
    assert ran.returncode != 0
    assert not (project / "injected").exists()


def test_the_action_runs_nothing_of_the_checkout(project: Path, tmp_path: Path) -> None:
    """A pull request may add a venv.py, which would be run in the place of Python's own."""
    (project / "venv.py").write_text("open('injected', 'w')")
    (install,) = (s for s in ACTION["runs"]["steps"] if "pip" in s.get("run", ""))
    (made,) = [line for line in install["run"].splitlines() if " venv " in line]
    subprocess.run(
        ["bash", "-ec", made.replace("-m venv", "-m venv --without-pip")],
        cwd=project,
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "RUNNER_TEMP": "t"},
        check=True,
    )
    assert (tmp_path / "t" / "pgvouch" / "bin" / "python").exists()
    assert not (project / "injected").exists()


def test_the_action_installs_the_program_of_its_own_version() -> None:
    (install,) = (s for s in ACTION["runs"]["steps"] if "pip" in s.get("run", ""))
    assert install["env"]["SOURCE"] == "${{ github.action_path }}"
    assert "${{" not in "".join(s.get("run", "") for s in ACTION["runs"]["steps"]), (
        "an input in a script would be run as part of it"
    )
