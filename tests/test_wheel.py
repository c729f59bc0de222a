"""A wheel built from this tree works in an empty environment, templates and SQL with it."""

import subprocess
import sys
import zipfile
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


def test_an_empty_environment_is_enough(wheel: Path, tmp_path: Path, url: str) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    subprocess.run(
        [venv / "bin" / "python", "-m", "pip", "install", "--quiet", str(wheel)],
        check=True,
        capture_output=True,
    )
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
