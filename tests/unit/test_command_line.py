"""What people type: options ahead of a command, words of other tools, help wherever it is asked for."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from pgvouch.cli import main
from pgvouch.cli.main import ALIASES, cli
from pgvouch.cli.options import SHARED
from pgvouch.cli.panels import GROUPS
from pgvouch.cli.words import WORDS
from support.program import PROGRAM

NOWHERE = "postgresql://127.0.0.1:1/d"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "001_a.sql").write_text("select 1;")
    return tmp_path


def _run(capsys: pytest.CaptureFixture[str], line: str) -> tuple[int, str, str]:
    code = main.run(line.split(), {})
    return code, *capsys.readouterr()


@pytest.mark.parametrize(
    "line",
    [
        "--url {} --migrations m status",
        "--migrations=m --url={} status",
        "--migrations m status --url {}",
        "--url postgresql://nowhere.invalid/d --migrations gone status --url {} --migrations m",
        "-v --lock-timeout 2s --var a=b --url {} --migrations m migrate",
        "--url {} --migrations m up",
        "--retries=3 --url {} --migrations m down",
        "--url {} --migrations m --wait 0 entrypoint -- true --url x",
    ],
)
def test_options_stand_on_either_side(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = _run(capsys, line.format(NOWHERE))
    assert code == 5, err
    assert "no connection to d at 127.0.0.1:1" in err


def test_json_on_either_side(capsys: pytest.CaptureFixture[str]) -> None:
    ahead = _run(capsys, f"--json --url {NOWHERE} --migrations m status")
    assert ahead == _run(capsys, f"status --url {NOWHERE} --migrations m --json")
    assert json.loads(ahead[1])["error"]["kind"] == "not ready"
    assert json.loads(_run(capsys, "--json upgrade")[1])["error"]["hint"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("-v status", "-v"),
        ("--lock-timeout 2s status", "--lock-timeout"),
        ("--lock-timeout=2s server start", "--lock-timeout"),
        ("-v server psql", "-v"),
        ("--wit x status", "--wit"),
        ("--to 3 migrate", "--to"),
    ],
)
def test_an_option_that_a_command_does_not_have(
    line: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = _run(capsys, line)
    assert code == 2
    assert re.match(rf"error: pgvouch[a-z ]* has no option {name}\n", err)


def test_a_misspelled_option_is_told_what_is_meant(capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("--migration x status", "status --migration x"):
        assert "--migrations" in _run(capsys, line)[2].splitlines()[-1]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("--migrate", "it is a command: pgvouch migrate"),
        ("--accept-delta", "it is a command: pgvouch accept-delta"),
        ("--verson", "did you mean --version?"),
        ("migrate --dryrun", "did you mean --dry-run?"),
        ("migrate --steps 2", "pgvouch migrate --help lists them"),
        ("-x", "pgvouch --help lists them"),
        ("server start --migrate", "did you mean --migrations?"),
    ],
)
def test_one_option_is_proposed_or_none(
    line: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = _run(capsys, line)
    assert code == 2
    assert err.splitlines()[-1] == f"  next    {meant}"


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("new", "pgvouch new needs NAME", "pgvouch new --help"),
        ("rollback --steps x", "--steps: 'x' is not a whole number", "pgvouch rollback --help"),
        ("rollback --steps 0", "--steps: 0 is not in the range x>=1", "pgvouch rollback --help"),
        ("migrate --var x", "--var: write NAME=VALUE", "pgvouch migrate --help"),
        ("completion nosh", "SHELL: 'nosh' is not one of", "pgvouch completion --help"),
        ("explain a b", "got unexpected extra argument (b)", "pgvouch explain --help"),
        ("status --url", "option --url requires an argument", None),
        ("fleet enq", "pgvouch fleet has no command `enq`", "did you mean pgvouch fleet enqueue?"),
        ("server xyzzy", "pgvouch server has no command `xyzzy`", "pgvouch server --help"),
    ],
)
def test_what_click_refuses_reads_like_every_error(
    line: str, said: str, hint: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _run(capsys, line)
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert lines[0].startswith(f"error: {said}")
    assert lines[1:] == ([f"  next    {hint}"] if hint else [])


def test_what_click_refuses_is_told_to_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "--json rollback --steps 0")
    assert (code, err) == (2, "")
    error = json.loads(out)["error"]
    assert error["message"] == "--steps: 0 is not in the range x>=1"
    assert error["hint"] == "pgvouch rollback --help"
    logged = json.loads(_run(capsys, "migrate --log-format json --nope")[2])
    assert (logged["message"], logged["exit_code"]) == ("pgvouch migrate has no option --nope", 2)


def test_a_mistyped_command_is_annotated(capsys: pytest.CaptureFixture[str]) -> None:
    assert "::error title=pgvouch%3A usage" in _run(capsys, "migarte --format github")[2]


def test_every_command_is_under_one_heading_of_the_help() -> None:
    listed = [name for group in GROUPS.values() for name in group]
    assert sorted(listed) == sorted(cli.list_commands(PROGRAM))


@pytest.mark.parametrize("name", cli.list_commands(PROGRAM))
def test_the_list_of_commands_has_a_line_for_each(name: str) -> None:
    command = cli.get_command(PROGRAM, name)
    assert command is not None
    longest = max(map(len, next(group for group in GROUPS.values() if name in group)))
    assert len(command.get_short_help_str(200)) <= 80 - len("│   │") - longest - 1


@pytest.mark.parametrize("line", ["rollback --help", "--url x help rollback"])
def test_a_page_of_help_begins_with_the_options_of_its_command(line: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pgvouch", *line.split()],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    own, *shared = ran.stdout.split("╭─ ")[1:]
    assert set(re.findall("^│ (--[a-z-]+)", own, re.MULTILINE)) == {
        *("--steps", "--to", "--all", "--discard-data", "--accept-difference", "--from-files"),
        *("--dry-run", "--dump", "--help"),
    }
    assert [panel.partition(" ─")[0] for panel in shared] == [
        "Options of every command",
        "Options of commands that run SQL",
    ]


def test_the_options_ahead_are_those_that_commands_share() -> None:
    for option in SHARED:
        having = [
            name
            for name in cli.list_commands(PROGRAM)
            if (command := cli.get_command(PROGRAM, name)) is not None
            and any(set(option.opts) & set(each.opts) for each in command.params)
        ]
        assert len(having) > 3, option.opts


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_another_tool_says_ours(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, f"{word} --to 3")
    assert (code, out) == (2, "")
    assert f"error: there is no command `{word}`\n  next    " in err
    commands = re.findall(r"pgvouch ([a-z][a-z-]*)(?: (--[a-z-]+))?", err.partition("next")[2])
    assert commands
    for name, option in commands:
        command = cli.get_command(PROGRAM, name)
        assert command is not None, name
        if option:
            assert option in {name for each in command.params for name in each.opts}, (name, option)


def test_no_such_word_is_a_command_of_ours() -> None:
    assert not set(WORDS) & {*cli.list_commands(PROGRAM), *ALIASES}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("statsu", "did you mean pgvouch status?"),
        ("migrat", "did you mean pgvouch migrate?"),
        ("acceptdelta", "did you mean pgvouch accept-delta?"),
        ("db:migrate", "it is called pgvouch migrate"),
        ("db:reset", "there is deliberately no command that empties a database"),
        ("migrate:latest", "pgvouch migrate applies what is pending"),
        ("vlidate", "pgvouch verify runs every promise again"),
        ("xyzzy", "pgvouch help lists the commands"),
    ],
)
def test_what_is_meant(word: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = _run(capsys, word)
    assert code == 2
    assert said in err


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_documented_works_and_is_not_listed(
    alias: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    assert f"`{alias}` is `{ALIASES[alias]}`" in text
    assert alias not in cli.list_commands(PROGRAM)
    assert _run(capsys, f"{alias} --help") == _run(capsys, f"{ALIASES[alias]} --help")


def test_every_word_that_the_page_promises_is_one() -> None:
    text = (ROOT / "docs" / "commands.md").read_text().partition("## From habit")[2]
    words = re.findall(r"`([a-z:-]+)`", text.partition("\n## ")[0])
    known = {*WORDS, *ALIASES, *cli.list_commands(PROGRAM)}
    assert len(words) > 20
    assert not [word for word in words if word.rpartition(":")[2] not in known]


@pytest.mark.parametrize("name", cli.list_commands(PROGRAM))
def test_help_is_the_same_wherever_it_is_asked_for(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _run(capsys, f"{name} --help")
    assert (code, err) == (0, "")
    assert f"Usage: pgvouch {name} " in out
    assert _run(capsys, f"{name} -h") == (code, out, err)
    assert _run(capsys, f"help {name}") == (code, out, err)
    if "--url" in out:
        assert _run(capsys, f"--url x {name} -h") == (code, out, err)


def test_help_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    whole = _run(capsys, "--help")
    assert _run(capsys, "help") == whole == _run(capsys, "-h")
    assert _run(capsys, "help server start") == _run(capsys, "server start -h")
    assert _run(capsys, "new x --help") == _run(capsys, "help new")
    code, _, err = _run(capsys, "help upgrade")
    assert code == 2
    assert "pgvouch migrate applies what is pending" in err
    main.run([], {})
    assert whole[1].strip() in "".join(capsys.readouterr())
