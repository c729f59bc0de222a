"""A terminal that knows no `✓`, a full disk behind stdout, a reader who is gone: no traceback."""

import signal
import subprocess
import sys

import psycopg
import pytest

from conftest import Folder, database_of, query
from faults.processes import ended, spawn

POOR = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "utf-8"},
]


def _at(folder: Folder) -> list[str]:
    return ["--migrations", str(folder.path), "--url", folder.url]


@pytest.mark.parametrize("environment", POOR, ids=str)
def test_any_encoding_will_do(folder: Folder, environment: dict[str, str]) -> None:
    folder.write({"001_a.sql": "select 1;", "002_b.sql": "do $$begin raise 'no ✓ ł'; end$$;"})
    code, out, err = ended(spawn("migrate", *_at(folder), **environment))
    assert code == 1
    assert "002_b failed: no " in err
    assert "Traceback" not in err
    code, out, err = ended(spawn("status", *_at(folder), **environment))
    assert (code, err) == (0, "")
    assert "001_a" in out
    assert ("✓" in out) is (environment.get("PYTHONIOENCODING") == "utf-8")
    for command in ("plan", "verify", "status"):
        code, out, err = ended(spawn(command, "--json", *_at(folder), **environment))
        assert (code, err) == (0, "")


@pytest.mark.parametrize("command", ["--help", "migrate --help", "--version"])
def test_a_full_disk_behind_a_page_of_help(folder: Folder, command: str) -> None:
    done = _through(f'"$0" -m pgvouch {command} > /dev/full', folder)
    assert done.returncode == 1
    assert "error: the output cannot be written: No space left on device" in done.stderr
    assert "unforeseen" not in done.stderr


def _through(shell: str, folder: Folder) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shell}", sys.executable, *_at(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "command", ["status", "status --json", "plan", "migrate", "migrate --dry-run"]
)
def test_a_full_disk_behind_stdout(folder: Folder, command: str) -> None:
    folder.write({"001_a.sql": "select 1;"})
    done = _through(f'"$0" -m pgvouch {command} "$@" > /dev/full', folder)
    assert done.returncode == 1
    assert "error: the output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_stderr_that_is_full_stops_no_work(folder: Folder) -> None:
    folder.write({f"{n:03}_a.sql": "select 1;" for n in range(20)})
    done = _through('"$0" -m pgvouch migrate "$@" 2> /dev/full', folder)
    assert done.returncode == 0
    assert "20 applied" in done.stdout


@pytest.mark.parametrize("command", ["status", "status --json", "plan", "migrate -v"])
def test_a_reader_who_is_gone(folder: Folder, command: str) -> None:
    folder.write({f"{n:03}_a.sql": "select 1;" for n in range(1500)})
    done = _through(f'"$0" -m pgvouch {command} "$@" 2>&1 | head -1', folder)
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    if command == "migrate -v":
        assert query(folder.url, "select count(*) from pgvouch.migration") == [(1500,)]


def test_streams_that_are_closed(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    done = _through('"$0" -m pgvouch migrate "$@" >&- 2>&-', folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert query(folder.url, "select count(*) from pgvouch.migration") == [(1,)]


LEDGER_TROUBLE = {
    "a statement timeout": (
        "alter role {role} set statement_timeout = '1s'; "
        "create function slow() returns event_trigger language plpgsql as "
        "$$begin perform pg_sleep(10); end$$; "
        "create event trigger {role} on ddl_command_start execute function slow()",
        "57014",
    ),
    "an event trigger": (
        "create function slow() returns event_trigger language plpgsql as "
        "$$begin raise 'not here'; end$$; "
        "create event trigger {role} on ddl_command_start when tag in ('CREATE TABLE') "
        "execute function slow()",
        "P0001",
    ),
    "a schema of somebody else": (
        "create schema pgvouch; grant usage on schema pgvouch to {role}",
        "42501",
    ),
    "a table that is in the way": (
        "create schema pgvouch authorization {role}; "
        "create table pgvouch._yoyo_log (); alter table pgvouch._yoyo_log owner to {role}",
        "",
    ),
}


@pytest.mark.parametrize("case", LEDGER_TROUBLE)
@pytest.mark.parametrize("command", [["migrate"], ["migrate", "--rehearse"]])
def test_a_ledger_that_cannot_be_made(folder: Folder, case: str, command: list[str]) -> None:
    trouble, sqlstate = LEDGER_TROUBLE[case]
    role = f"r_{database_of(folder.url)}"
    folder.write({"001_a.sql": "select 1;", "001_a.rollback.sql": "select 1;"})
    with psycopg.connect(folder.url, autocommit=True) as connection:
        connection.execute(f"create role {role} login")
        connection.execute(f"grant create on database {database_of(folder.url)} to {role}")
        connection.execute(trouble.format(role=role).encode())
        try:
            url = psycopg.conninfo.make_conninfo(folder.url, user=role)
            ran = folder(*command, url=url)
        finally:
            connection.execute(
                "set event_triggers = off"
            ) if connection.info.server_version >= 170000 else None
            connection.execute(f"drop owned by {role} cascade")
            connection.execute("drop event trigger if exists " + role)
            connection.execute(f"drop role {role}")
    assert ran.code in {1, 2}
    assert "unforeseen" not in ran.err
    if sqlstate:
        assert f"server  {sqlstate}" in ran.err
        assert "Nothing was run." in ran.err or sqlstate == "42501"


def test_a_dry_run_of_a_rollback_without_a_ledger(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    ran = folder("rollback", "--dry-run")
    assert ran.code == 0
    assert "nothing to roll back" in ran.out
    assert folder("rollback", "--dry-run", "--json").code == 0


def test_what_nobody_has_foreseen_is_one_line(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write({"001_a.sql": "select 1;"})
    monkeypatch.setattr("pgvouch.engine.commands.read_ledger", lambda _session: 1 / 0)
    ran = folder("status")
    assert ran.code == 1
    assert "error: pgvouch has met something unforeseen: ZeroDivisionError" in ran.err
    assert "PGVOUCH_TRACEBACK=1" in ran.err
    assert "Traceback" not in ran.err
    monkeypatch.setenv("PGVOUCH_TRACEBACK", "1")
    assert "Traceback" in folder("status").err
    assert '"kind": "error"' in folder("status", "--json").out


STARTING = """
import os, sys
from pgvouch.__main__ import main

module, number = sys.argv[1], int(sys.argv[2])


class Striking:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), number)


sys.meta_path.insert(0, Striking())
sys.argv = ["pgvouch", "status", *sys.argv[3:]]
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["click", "pgvouch.cli.main", "psycopg", "pgvouch.ledger"])
def test_a_signal_while_modules_are_loaded(
    folder: Folder, number: signal.Signals, module: str
) -> None:
    folder.write({"001_a.sql": "select 1;"})
    done = subprocess.run(
        [sys.executable, "-c", STARTING, module, str(int(number)), *_at(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 128 + number, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.lstrip().startswith(f"error: interrupted by {number.name}")
