"""Dockerfile and compose.yaml, as far as they can be judged without building: files, users, commands."""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conftest import ROOT
from deploying import documents
from deploying.commands import commands_in, refuse_unknown
from pgvouch.config.project import database_names, find_project, read_database

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = documents.load((ROOT / "compose.yaml").read_text())
COMPILERS = ("gcc", "g++", "clang", "build-essential", "apt-get", "apk ", "libpq-dev", "make")


def _instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.partition(" ")[2]) for line in text.splitlines() if line.strip()]


def _stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for word, rest in _instructions():
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def _copied(stage: list[tuple[str, str]]) -> list[str]:
    """What a stage takes from the folder of the Dockerfile."""
    found = []
    for word, rest in stage:
        sources = [part for part in rest.split()[:-1] if not part.startswith("--")]
        if word == "COPY" and "--from=" not in rest:
            found += [name for name in sources if not name.endswith("*")]
    return found


def _is_sent(name: str) -> bool:
    """Whether .dockerignore lets a file or folder into the build."""
    sent = True
    for pattern in (ROOT / ".dockerignore").read_text().split():
        if fnmatch.fnmatch(name.partition("/")[0], pattern.removeprefix("!")):
            sent = pattern.startswith("!")
    return sent


def test_everything_that_is_copied_is_there_and_sent() -> None:
    names = [name for stage in _stages() for name in _copied(stage)]
    assert len(names) >= 6
    for name in names:
        assert (ROOT / name).exists(), name
        assert _is_sent(name), name
    for name in ("tests", ".pgvouch", ".venv", ".git", "migrations", "compose.yaml"):
        assert not _is_sent(name), name


def test_two_stages_and_no_compiler_in_either() -> None:
    build, last = _stages()
    assert build[0][1].split() == [last[0][1], "AS", "build"]  # one Python: the venv points to it
    assert last[0][1].endswith("-slim")
    for word, rest in _instructions():
        assert word in {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD"}, word
        assert not [name for name in COMPILERS if name in rest], rest
    assert any("--only-binary :all:" in rest for word, rest in build if word == "RUN")


def test_the_last_stage_does_not_run_as_root() -> None:
    last = _stages()[-1]
    words = [word for word, _ in last]
    user = last[words.index("USER")][1]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert not {"RUN", "COPY", "USER"} & set(words[words.index("USER") + 1 :])


def test_the_entrypoint_is_the_script() -> None:
    last = dict(_stages()[-1])
    script = ROOT / "docker" / "entrypoint.sh"
    assert "--chmod=755 docker/entrypoint.sh /usr/local/bin/entrypoint" in DOCKERFILE
    assert json.loads(last["ENTRYPOINT"]) == ["entrypoint"]
    assert os.access(script, os.X_OK)
    assert subprocess.run(["/bin/sh", "-n", script], check=False).returncode == 0
    refuse_unknown(json.loads(last["CMD"]))
    options = re.findall(r" (--[a-z-]+)", re.sub("#.*", "", script.read_text()))
    assert sorted(set(options)) == ["--no-migrate", "--wait"]


def test_only_the_command_is_on_the_path() -> None:
    assert "ENV" not in dict(_instructions())
    links = re.findall(r"ln -s (\S+) (\S+)", DOCKERFILE)
    assert links == [("/opt/pgvouch/bin/pgvouch", "/usr/local/bin/pgvouch")]


def test_what_the_first_stage_copies_is_enough_for_the_wheel(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    for name in _copied(_stages()[0]):
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source / name)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("pgvouch-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "runner" / "pgvouch"
    for path in package.rglob("*"):
        if path.suffix in {".py", ".sql", ".typed"}:
            assert f"pgvouch/{path.relative_to(package)}" in names
    for path in (ROOT / "templates").glob("*.j2"):
        assert f"pgvouch/templates/{path.name}" in names


def test_the_services_of_compose_hang_together() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"postgres", "migrate", "app"}
    assert services["migrate"]["depends_on"] == ["postgres"]
    assert services["app"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"}
    }
    for name in ("migrate", "app"):
        service = services[name]
        assert (ROOT / service["build"] / "Dockerfile").exists()
        environment = service["environment"]
        assert re.search(r"@(\w+):", environment["DATABASE_URL"])[1] in services  # type: ignore[index]
        assert environment["PGPASSWORD"] == services["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert services["app"]["environment"]["PGVOUCH_MIGRATE"] == "no"
    assert "PGVOUCH_MIGRATE" not in services["migrate"]["environment"]
    (command,) = commands_in(services["migrate"])
    refuse_unknown(command)


def test_what_compose_mounts_is_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("migrate", "app"):
        assert COMPOSE["services"][service]["volumes"] == [
            f"./{name}:/app/{name}:ro" for name in ("pyproject.toml", "migrations")
        ]
    # As in the image: these two and nothing else, from the folder that is the WORKDIR.
    assert ("WORKDIR", "/app") in _stages()[-1]
    for name in ("pyproject.toml", "migrations"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    project = find_project()
    assert project.verify_required
    names = database_names(project)
    assert len(names) >= 5
    for name in names:
        assert read_database(project, name)
