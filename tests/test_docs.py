"""What the documents show is what happens: their files are written, their commands run."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

import tiers
from conftest import ROOT
from pgvouch.cli.main import ALIASES, cli
from support.program import PROGRAM
from support.reference import reference

BIN = Path(sys.executable).parent
FENCE = re.compile(r"(?:`(?P<path>[^`\n]+)`:\n)?```(?P<kind>\w+)\n(?P<body>.*?)```", re.DOTALL)
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


@contextmanager
def a_project() -> Iterator[Path]:
    # Not pytest's tmp_path: root's embedded server runs as nobody, who may not enter there.
    base = Path(tempfile.mkdtemp(prefix="pgvouch-docs-"))
    base.chmod(0o755)
    root = base / "notes"
    root.mkdir()
    yield root
    _shell("pgvouch server stop", root)
    shutil.rmtree(base)


@pytest.fixture
def project() -> Iterator[Path]:
    with a_project() as root:
        yield root


def _shell(command: str, folder: Path, exported: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(folder),
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
            **(exported or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def _normal(text: str) -> str:
    """Leave out what no two runs have in common: times."""
    text = re.sub(r"\s+\d+ ms", " N ms", text)
    text = re.sub(r"\d{4}(-\d\d){2} \d\d:\d\d:\d\dZ +(\w+) +\d+ +", r"AT \2 N ", text)
    return re.sub(r"in \d+\.\d+ s", "in N s", text).rstrip()


def run_part(
    text: str, project: Path, run: Callable[[str, Path, Mapping[str, str]], str] = _shell
) -> str:
    """Write the files that a text shows, run its commands, and return it with their real output."""
    real, done = [], 0
    exported: dict[str, str] = {}
    for block in FENCE.finditer(text):
        if block["path"]:
            path = project / block["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["body"])
        elif block["kind"] == "console":
            told = []
            for step in re.split(r"^\$ ", block["body"], flags=re.MULTILINE)[1:]:
                command, _, shown = step.partition("\n")
                if command.startswith("make "):
                    said = shown
                elif command.startswith("export "):
                    name, _, value = command.removeprefix("export ").partition("=")
                    exported[name], said = value, ""
                else:
                    said = run(command, project, exported).rstrip("\n")
                    said = f"{said}\n" if said else ""
                told.append(f"$ {command}\n{shown if _normal(said) == _normal(shown) else said}")
            real += [text[done : block.start("body")], *told]
            done = block.end("body")
    return "".join([*real, text[done:]])


PAGES = {
    "README.md": (r"^(?=## )", 14),
    "docs/tutorial.md": (r"\Z", 20),
    "docs/fleets.md": (r"\Z", 14),
}
"""Pages whose console is real: where a new project begins, and how many commands there are."""


@pytest.mark.parametrize("name", PAGES)
def test_the_console_of_a_page_is_real(name: str) -> None:
    """PGVOUCH_WRITE_GOLDEN=1 writes the real output into the page, for the diff to be reviewed."""
    text = (ROOT / name).read_text()
    begins, least = PAGES[name]
    shown = "".join(body for _, kind, body in FENCE.findall(text) if kind == "console")
    assert len(re.findall(r"^\$ ", shown, re.MULTILINE)) >= least
    real = []
    for part in re.split(begins, text, flags=re.MULTILINE):
        if "```console" in part:
            with a_project() as project:
                real.append(run_part(part, project))
        else:
            real.append(part)
    if os.environ.get("PGVOUCH_WRITE_GOLDEN"):
        (ROOT / name).write_text("".join(real))
    assert "".join(real) == text


def test_the_make_targets_work_in_a_copy(project: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, project / name)
    # The environment of this run, as if `make` had made it a moment ago.
    (project / ".venv" / "bin").mkdir(parents=True)
    for tool in ("pgvouch", "python"):
        (project / ".venv" / "bin" / tool).symlink_to(BIN / tool)
    (project / ".venv" / "installed").touch()
    said = {
        target: _shell(f"make {target} && echo ok", project)
        for target in (
            "migrate", "status", "plan", "verify", "seed", "stamp",
            "rollback DB=coding_sessions DISCARD=1", "rollback DB=coding_sessions STEPS=2 DISCARD=1", "migrate DB=coding_sessions",
            "rollback DB=coding_sessions ALL=1 DISCARD=1",
        )
    }  # fmt: skip
    assert {target: text.splitlines()[-1] for target, text in said.items()} == dict.fromkeys(
        said, "ok"
    )
    assert "10 applied" in said["migrate"] or "9 applied, 1 provided" in said["migrate"]
    assert "0 still applied" in said["rollback DB=coding_sessions ALL=1 DISCARD=1"]
    assert "nothing to do" in _shell("make migrate; make migrate", project)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_every_command_and_option_is_documented() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    for name in cli.list_commands(PROGRAM):
        command = cli.get_command(PROGRAM, name)
        assert command is not None
        assert command.help, name
        assert f"`{name}" in text or f"{name} `" in text, name
        for option in command.params:
            if isinstance(option, click.Option) and option.name != "help":
                assert option.help, (name, option.name)
                assert max(option.opts, key=len) in text, (name, option.opts)


def test_the_reference_is_what_the_program_says_of_itself() -> None:
    """PGVOUCH_WRITE_GOLDEN=1 rewrites the page, for the diff to be reviewed."""
    page = ROOT / "docs" / "reference.md"
    if os.environ.get("PGVOUCH_WRITE_GOLDEN"):
        page.write_text(reference())
    assert page.read_text() == reference()


def test_every_command_in_the_documents_is_there() -> None:
    names = {*cli.list_commands(PROGRAM), *ALIASES}
    for document in DOCUMENTS:
        for word in re.findall(
            r"(?:^\$ |`)pgvouch ([a-z][a-z-]*)", document.read_text(), re.MULTILINE
        ):
            assert word in names, (document.name, word)


def test_targets_of_make_are_those_of_the_documents() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    assert targets == set(phony[1].split())
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {line.split()[0] for line in listed.stdout.splitlines()} == targets
    for document in [*DOCUMENTS, ROOT / ".ci" / "run"]:
        for word in re.findall(
            r"(?:^(?:\$ )?|`)make ([a-z-]+)", document.read_text(), re.MULTILINE
        ):
            assert word in targets, (document.name, word)


def test_tests_that_the_tiers_name_are_there() -> None:
    """A beginning that no test has any more leaves out, or keeps, nothing."""
    collect = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--collect-only", ROOT / "tests"]
    ran = subprocess.run(collect, cwd=ROOT, capture_output=True, text=True, check=True)
    ids = [line.removeprefix("tests/") for line in ran.stdout.splitlines()]
    named = [*tiers.THOROUGH, *tiers.KEPT, *tiers.CONTRACTS]
    assert [start for start in named if not any(i.startswith(start) for i in ids)] == []
    contracts = [i for i in ids if i.startswith(tiers.CONTRACTS)]
    assert [tool for tool in tiers.KEPT_TOOLS if not any(tool in i for i in contracts)] == []


def test_the_settings_are_those_of_the_documents(tmp_path: Path) -> None:
    from pgvouch.config.project import find_project

    text = (ROOT / "docs" / "commands.md").read_text()
    (block,) = (b["body"] for b in FENCE.finditer(text) if b["kind"] == "toml")
    (tmp_path / "pgvouch.toml").write_text(block)
    project = find_project(tmp_path / "pgvouch.toml")
    assert project.requires["coding_sessions"] == ("_supabase",)
