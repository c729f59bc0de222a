"""A wheel built from this tree works in an empty environment, templates and SQL with it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT


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
        if path.suffix in {".py", ".sql", ".typed"}
    } | {f"pgvouch/templates/{path.name}" for path in (ROOT / "templates").glob("*.j2")}
    assert expected <= names
    assert not [name for name in names if name.startswith(("tests", "migrations"))]


@pytest.fixture(scope="module")
def own_project() -> Iterator[Path]:
    """A project in which the README's lines were typed, beside a checkout of this repository."""
    # Not pytest's folder: root's embedded server runs as nobody, who may not enter there.
    base = Path(tempfile.mkdtemp(prefix="pgvouch-own-"))
    base.chmod(0o755)
    (base / "pgvouch").symlink_to(ROOT)
    project = base / "notes"
    project.mkdir()
    section = (ROOT / "README.md").read_text().partition("## In your own project\n")[2]
    (typed,) = re.findall(r"```sh\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    given = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DATABASE_URL"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-euc", typed],
        cwd=project,
        env={**given, "PATH": path, "PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        assert ran.returncode == 0, ran.stderr
        (project / "said").write_text(ran.stdout + ran.stderr)
        yield project
    finally:
        subprocess.run(
            [project / ".venv" / "bin" / "pgvouch", "server", "stop"], cwd=project, check=True
        )
        shutil.rmtree(base)


def test_the_readme_s_lines_work_in_a_project_of_one_s_own(own_project: Path) -> None:
    said = (own_project / "said").read_text()
    assert "migrations/001_create_notes.sql" in said
    assert re.search("001_create_notes +pending", said)


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
