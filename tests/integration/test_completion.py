"""Completion in real shells: what a tab gives, and that it never disturbs the prompt."""

import os
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT
from pgvouch import __version__

BIN = Path(sys.executable).parent
SHELLS = ("bash", "zsh", "fish")
PROMPT = "READY> "
COMMANDS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(pgvouch completion bash)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit; compinit -u -D; source <(pgvouch completion zsh)",
    ),
    "zsh from its folder": (
        ["zsh", "-f", "-i"],
        "mkdir f; pgvouch completion zsh > f/_pgvouch; fpath=($PWD/f $fpath); "
        "autoload -Uz compinit; compinit -u -D",
    ),
}
"""How each shell is started, and what is typed first: what the page says."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("alpha", "beta"):
        folder = tmp_path / "migrations" / name
        folder.mkdir(parents=True)
        (folder / f"001_{name}s_first.sql").write_text("this is no SQL;")
        (folder / f"001_{name}s_first.rollback.sql").write_text("")
    (tmp_path / "migrations" / "alpha" / "0010_last.up.sql").write_text("")
    (tmp_path / "migrations" / "alpha" / "0010_last.down.sql").write_text("")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "mine.sql.j2").write_text("")
    (tmp_path / "pgvouch.toml").write_text("")
    return tmp_path


def _environment(**more: str) -> dict[str, str]:
    plain = {"PATH": f"{BIN}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "TERM": "dumb", **more}
    return {**plain, "HOME": "/nowhere", "PYTHONWARNINGS": "error"}


def _asked(line: str, folder: Path, **more: str) -> tuple[int, list[str], str]:
    """What the program answers to the script of bash for a line with a tab at its end."""
    words = line.split(" ")
    given = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [BIN / "pgvouch"],
        cwd=folder,
        env=_environment(_PGVOUCH_COMPLETE="bash_complete", **given, **more),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split(), done.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pgvouch mig", "migrate"),
        ("pgvouch re", "redo report repair"),
        ("pgvouch --no", "--no-dotenv"),
        ("pgvouch --json migrate --rehe", "--rehearse"),
        ("pgvouch up --rehe", "--rehearse"),
        ("pgvouch migrate ", "alpha beta"),
        ("pgvouch migrate b", "beta"),
        ("pgvouch migrate alpha ", "beta"),
        ("pgvouch migrate --to ", "001_alphas_first 0010_last 001_betas_first"),
        ("pgvouch migrate --to 001_b", "001_betas_first"),
        ("pgvouch migrate alpha --to ", "001_alphas_first 0010_last"),
        ("pgvouch rollback beta --discard-data --to ", "001_betas_first"),
        ("pgvouch accept ", "001_alphas_first 0010_last 001_betas_first"),
        ("pgvouch accept --database beta ", "001_betas_first"),
        ("pgvouch accept-delta 001_a", "001_alphas_first"),
        ("pgvouch repair 001_a", "001_alphas_first"),
        ("pgvouch new x --database ", "alpha beta"),
        ("pgvouch entrypoint --database ", "alpha beta"),
        ("pgvouch server st", "start stop"),
        ("pgvouch server url a", "alpha"),
        ("pgvouch --migrations migrations/alpha migrate --to 0010", "0010_last"),
        ("pgvouch completion ", "bash zsh fish"),
        ("pgvouch help st", "status stamp"),
        ("pgvouch migrate --url ", ""),
        ("pgvouch 'migrate", "migrate"),
    ],
)
def test_what_follows(project: Path, line: str, expected: str) -> None:
    code, words, err = _asked(line, project)
    assert (code, words, err) == (0, [f"plain,{word}" for word in expected.split()], "")


def test_a_name_that_a_shell_would_run_is_not_put_into_a_line(project: Path) -> None:
    for name in ("$(id)", "`id`", "a;id", "a b", "a\x1b[2J", "-x", "a\nplain,b", "né"):
        folder = project / "migrations" / name
        folder.mkdir()
        (folder / "001_a.sql").write_text("select 1;")
    code, answered, _ = _asked("pgvouch status ", project)
    assert (code, answered) == (0, ["plain,alpha", "plain,beta", "plain,né"])


@pytest.mark.parametrize("option", ["--config py", "--migrations m"])
def test_files_are_left_to_the_shell(project: Path, option: str) -> None:
    kind = "file" if "config" in option else "dir"
    assert _asked(f"pgvouch status {option}", project)[1] == [f"{kind},{option.split()[1]}"]


@pytest.mark.parametrize(
    ("file", "text"),
    [("pgvouch.toml", "this is no TOML"), ("pgvouch.toml", 'url = "x"'), (".env", "'")],
)
def test_what_is_wrong_is_not_told_at_a_prompt(project: Path, file: str, text: str) -> None:
    (project / file).write_text(text)
    code, words, err = _asked("pgvouch migrate ", project, PGVOUCH_TRACEBACK="1")
    assert (words, err) == (["plain,alpha", "plain,beta"] if file == ".env" else [], "")
    assert code == (0 if file == ".env" else 1)


def test_nothing_to_complete_is_no_error(project: Path) -> None:
    shutil.rmtree(project / "migrations")
    assert _asked("pgvouch migrate ", project)[1:] == ([], "")
    for given in ({"COMP_CWORD": "x"}, {"COMP_WORDS": "", "COMP_CWORD": "7"}):
        done = subprocess.run(
            [BIN / "pgvouch"],
            env=_environment(_PGVOUCH_COMPLETE="zsh_complete", **given),
            capture_output=True,
            check=False,
        )
        assert (done.stdout.count(b"Traceback"), done.stderr) == (0, b"")


def test_no_server_is_asked(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"postgresql://127.0.0.1:{listening.getsockname()[1]}/d"
        assert _asked("pgvouch migrate alpha --to ", project, DATABASE_URL=url)[1]
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_another_value_of_the_variable_changes_nothing() -> None:
    for value in ("", "1", "powershell_complete", "bash_complete; true"):
        said = subprocess.run(
            [BIN / "pgvouch", "--version"],
            env=_environment(_PGVOUCH_COMPLETE=value),
            capture_output=True,
            text=True,
            check=True,
        )
        assert __version__ in said.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_what_the_shell_reads(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    script = subprocess.run(
        [BIN / "pgvouch", "completion", shell],
        env=_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert script.stderr == ""
    read = subprocess.run(
        [shell, "-n"], input=script.stdout, text=True, capture_output=True, check=True
    )
    assert read.stderr == ""


class _Terminal:
    """A shell at a terminal, to which lines are typed."""

    def __init__(self, shell: str, folder: Path) -> None:
        command, setup = COMMANDS[shell]
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            given = _environment(HISTFILE="/dev/null", PS1="", PROMPT_COMMAND="")
            os.execvpe(command[0], command, {**given, "HOME": str(folder)})
        # Said in two pieces, so that the echo of the line is not the prompt.
        self.type(f"{setup}; PS1='READY''> '; PROMPT_EOL_MARK=''\n", until=PROMPT)

    def type(self, text: str, *, until: str) -> str:
        os.write(self._fd, text.encode())
        seen = ""
        while until not in seen:
            assert select.select([self._fd], [], [], 60)[0], f"it says no more: {seen}"
            try:
                seen += os.read(self._fd, 4096).decode(errors="replace")
            except OSError:
                raise AssertionError(f"the shell has ended: {seen}") from None
        return seen

    def end(self) -> None:
        os.close(self._fd)
        os.waitpid(self._pid, 0)


@pytest.fixture(params=COMMANDS)
def terminal(request: pytest.FixtureRequest, project: Path) -> Iterator[_Terminal]:
    shell = COMMANDS[request.param][0][0]
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    opened = _Terminal(request.param, project)
    yield opened
    opened.end()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("pgvouch hist", "pgvouch history"),
        ("pgvouch migrate alp", "pgvouch migrate alpha"),
        ("pgvouch migrate alpha --to 0010", "pgvouch migrate alpha --to 0010_last"),
        ("pgvouch accept --database beta 0", "pgvouch accept --database beta 001_betas_first"),
        ("pgvouch status --config pgv", "pgvouch status --config pgvouch.toml"),
        ("pgvouch status --rehe", "pgvouch status --rehe"),
    ],
)
def test_a_tab_at_a_prompt(terminal: _Terminal, typed: str, completed: str) -> None:
    # The beginning of the line is only typed when the tab has been answered: Ctrl-A, Ctrl-E.
    seen = terminal.type(f"{typed}\t\x01echo '<'\x05'>'\n", until=">\r\n")
    said = re.findall(r"<\s*(pgvouch [^<>\r\n]*?)\s*>\r\n", seen)
    assert said == [completed], seen
    assert "Traceback" not in seen


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("pgvouch hist", "history"),
        ("pgvouch migrate al", "alpha"),
        ("pgvouch migrate alpha --to 0010", "0010_last"),
        ("pgvouch migrate gamma", ""),
    ],
)
def test_a_tab_in_fish(project: Path, typed: str, completed: str) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not here")
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"pgvouch completion fish | source; complete -C '{typed}'"],
        cwd=project,
        env=_environment() | {"HOME": str(project)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.partition("\t")[0].strip(), done.stderr) == (completed, "")


def test_fish_finds_the_script_in_its_folder(project: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not here")
    home = _environment() | {"HOME": str(project)}
    folder = project / ".config" / "fish" / "completions"
    folder.mkdir(parents=True)
    with (folder / "pgvouch.fish").open("w") as script:
        subprocess.run([BIN / "pgvouch", "completion", "fish"], stdout=script, env=home, check=True)
    done = subprocess.run(
        ["fish", "-c", "complete -C 'pgvouch accept 0010'"],
        cwd=project, env=home, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("0010_last", "")


def test_the_page_says_how_it_is_installed() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    for shell in SHELLS:
        assert f"pgvouch completion {shell}" in text
