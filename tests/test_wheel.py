"""A wheel built from this tree works in an empty environment, templates and SQL with it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from conftest import ROOT
from test_docs import run_part


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("pgvouch-*.whl")
    return built


def test_the_wheel_holds_what_the_program_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "runner" / "pgvouch"
    expected = {
        f"pgvouch/{path.relative_to(package)}"
        for path in package.rglob("*")
        if path.suffix in {".py", ".sql", ".typed", ".css", ".j2"}
    } | {f"pgvouch/templates/{path.name}" for path in (ROOT / "templates").glob("*.j2")}
    assert expected <= names
    assert not [name for name in names if name.startswith(("tests", "migrations"))]


NOBODY = 65534
PYTHON = "/usr/bin/python3"
"""Root's own Python may lie where an ordinary user cannot go."""


def _is_for_everybody() -> bool:
    """Whether there is a Python that a user who is not root can make an environment with."""
    asked = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
    return os.geteuid() == 0 and (
        Path(PYTHON).exists() and subprocess.run([PYTHON, "-c", asked], check=False).returncode == 0
    )


def _as_ordinary_user(command: str, folder: Path, exported: Mapping[str, str]) -> str:
    is_root = _is_for_everybody()
    pip = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_", "REQUESTS_"))}
    paths = [f"{folder}/.venv/bin", "/usr/bin:/bin" if is_root else os.environ["PATH"]]
    ran = subprocess.run(
        ["bash", "-c", f"set -eo pipefail; {command}"],
        cwd=folder,
        env={
            "PATH": ":".join(paths),
            "HOME": str(folder.parent),
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
            **pip,
            **exported,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if is_root else {}),
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


@pytest.fixture(scope="module")
def own_project(wheel: Path) -> Iterator[Path]:
    """A project in which an ordinary user has typed the README's lines that install."""
    # Not pytest's folder, which is closed to other users.
    base = Path(tempfile.mkdtemp(prefix="pgvouch-own-"))
    base.chmod(0o755)
    project = base / "notes"
    project.mkdir()
    here = base / wheel.name
    shutil.copy(wheel, here)
    for path in (base, project, here):
        if _is_for_everybody():
            os.chown(path, NOBODY, NOBODY)
    section = (ROOT / "README.md").read_text().partition("## In your own project\n")[2]
    (typed,) = re.findall(r"```sh\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    assert typed.count("'pgvouch[embedded]'   ") == 1
    try:
        _as_ordinary_user(
            typed.replace("'pgvouch[embedded]'   ", f"-q '{here}[embedded]' "), project, {}
        )
        yield project
    finally:
        subprocess.run(
            [project / ".venv" / "bin" / "pgvouch", "server", "stop"], cwd=project, check=False
        )
        shutil.rmtree(base)


def test_the_readme_s_lines_work_in_a_project_of_one_s_own(own_project: Path) -> None:
    section = (ROOT / "README.md").read_text().partition("## In your own project\n")[2]
    part = section.partition("\n## ")[0]
    assert run_part(part, own_project, _as_ordinary_user) == part
    owner = (own_project / "migrations" / "001_create_notes.sql").stat().st_uid
    assert owner == (NOBODY if _is_for_everybody() else os.geteuid())


def test_an_empty_environment_is_enough(own_project: Path, tmp_path: Path, url: str) -> None:
    venv = own_project / ".venv"
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001_a.sql").write_text(
        "create table public.a (id int, updated_at timestamptz);\n"
        "create function public.update_updated_at() returns trigger language plpgsql as "
        "$$begin new.updated_at := now(); return new; end$$;\n"
        '-- stamp: updated_at_trigger(table="a")\n'
    )

    def pgvouch(*arguments: str) -> str:
        done = subprocess.run(
            [venv / "bin" / "pgvouch", *arguments],
            cwd=tmp_path,
            env={"DATABASE_URL": url, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert "updated_at_trigger" in pgvouch("stamp", "--list")
    assert "1 written" in pgvouch("stamp")
    assert "1 applied" in pgvouch("migrate")
    assert "Usage" in pgvouch("--help")
