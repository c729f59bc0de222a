"""docs/adopting.md: its example is what happens, and its table names commands that there are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from adopt.test_contract import Project
from conftest import ROOT, Folder

TEXT = (ROOT / "docs" / "adopting.md").read_text()
FENCE = re.compile(r"(?:`(?P<path>[^`\n]+)`:\n)?```(?P<kind>\w+)\n(?P<body>.*?)```", re.DOTALL)
OURS = Path(sys.executable).parent


def shell(
    command: str, folder: Folder, root: Path, programs: Path
) -> subprocess.CompletedProcess[str]:
    url = f"{folder.url}{'&' if '?' in folder.url else '?'}sslmode=disable"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=root,
        env={
            "PATH": f"{programs}:{OURS}:{os.environ['PATH']}",
            "HOME": str(root),
            "DATABASE_URL": url,
            "APP_DATABASE": folder.url.replace("postgresql://", "postgresql+psycopg://"),
            "EDITOR": "true",
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def normal(text: str) -> list[str]:
    """Leave out the name of the database and times."""
    text = re.sub(r"\bt_[0-9a-f]{12}\b", "shop", text)
    text = re.sub(r"in \d[\d.]*\s?(?:s|ms|µs)\b", "in N s", text)
    return [line.rstrip() for line in re.sub(r"\s+\d+ ms", " N ms", text).splitlines()]


def test_the_example_is_real(folder: Folder, real_tools: Path) -> None:
    root = folder.root / "example"
    commands = 0
    for block in FENCE.finditer(TEXT):
        if block["path"]:
            path = root / block["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["body"])
        elif block["kind"] == "console":
            for step in re.split(r"^\$ ", block["body"], flags=re.MULTILINE)[1:]:
                command, _, expected = step.partition("\n")
                ran = shell(command, folder, root, real_tools)
                assert sorted(normal(ran.stdout)) == sorted(normal(expected)), command
                assert ran.returncode == 0, command
                commands += 1
    assert commands >= 8


def commands_of(tool: str) -> list[str]:
    """Return the commands of its row in the table: up, back, state, new, and by hand."""
    (row,) = re.findall(rf"^\| {re.escape(tool)} \| (`.*) \|$", TEXT, re.MULTILINE)
    return [cell.strip("` ") for cell in row.split(" | ")]


@pytest.mark.parametrize("tool", ["dbmate", "node-pg-migrate", "yoyo"])
def test_its_commands_are_those_of_the_table(folder: Folder, real_tools: Path, tool: str) -> None:
    project = Project(tool, folder)
    if tool == "yoyo":
        url = folder.url.replace("postgresql://", "postgresql+psycopg://").replace("%", "%%")
        given = f"[DEFAULT]\nsources = migrations\ndatabase = {url}\nbatch_mode = on\n"
        (project.path / "yoyo.ini").write_text(given)
    up, back, state, new, _ = commands_of(tool)
    back = back.replace("ID", "0003.seed")
    for command in (up, state, back, state, new.replace("NAME", "next")):
        if command == "none":
            continue
        ran = shell(command, folder, project.path, real_tools)
        assert ran.returncode == 0, (command, ran.stdout)
    assert any("next" in path.name for path in project.path.rglob("*"))


INI = "[alembic]\nscript_location = alembic\n"
ENV = """\
import os
from alembic import context
from sqlalchemy import create_engine
with create_engine(os.environ["APP_DATABASE"]).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
APP = """\
import os
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["APP_DATABASE"]
Migrate(app, SQLAlchemy(app))
"""


@pytest.mark.parametrize("tool", ["Alembic", "Flask-Migrate"])
def test_alembics_commands_are_those_of_the_table(folder: Folder, tool: str) -> None:
    root = folder.root / "project"
    root.mkdir()
    if tool == "Flask-Migrate":
        pytest.importorskip("flask_migrate", reason="Flask-Migrate is not installed")
        (root / "app.py").write_text(APP)
        assert shell("flask db init", folder, root, OURS).returncode == 0
    else:
        assert shell("alembic init alembic", folder, root, OURS).returncode == 0
        (root / "alembic.ini").write_text(INI)
        (root / "alembic" / "env.py").write_text(ENV)
    up, back, state, new, stamp = commands_of(tool)
    said = []
    for command in (new.replace("NAME", "next"), up, state, back, state, stamp, state):
        ran = shell(command, folder, root, OURS)
        assert ran.returncode == 0, (command, ran.stdout)
        said.append("(head)" in ran.stdout)
    assert [said[2], said[4], said[6]] == [True, False, True]
