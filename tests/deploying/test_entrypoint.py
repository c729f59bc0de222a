"""The entrypoint migrates and becomes the application: its process, its signals, its exit code."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from conftest import Server, database_of, query
from deploying.containers import Container, line, terminate, up
from faults import world
from faults.processes import SLEEPING, ended, free_port, until
from faults.tries import socket_of, through
from support.proxy import recording

OURS = "application_name like 'pgvouch%' and datname = current_database()"
LIKE_OPTIONS = (
    *("-h", "--help", "--json", "--wait", "never", "--no-migrate", "--", "--version"),
    *("", "two words", "$HOME", "*", "ü"),
)


@contextmanager
def _gate(url: str) -> Iterator[Callable[[], None]]:
    """Hold an advisory lock of a session; gives what lets go of it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(4711)")
        yield lambda: connection.execute("select pg_advisory_unlock(4711)") and None


def _applied(url: str) -> list[object]:
    return [row[0] for row in query(url, "select migration_id from pgvouch.migration order by 1")]


def _has_ledger(url: str) -> bool:
    return query(url, "select to_regnamespace('pgvouch') is not null") == [(True,)]


# What the application gets.


def test_the_application_is_the_same_process(container: Container) -> None:
    container.command("who", 'echo "$$"; exit 42')
    process = container.start("who")
    assert ended(process)[:2] == (42, f"{process.pid}\n")
    assert _applied(container.url) == ["001_a"]


def test_its_arguments_are_its_own_and_stdout_is_clean(container: Container) -> None:
    code, out, err = container.ends("app", *LIKE_OPTIONS)
    assert (code, out) == (0, "".join(f"{text}\n" for text in ("app runs", *LIKE_OPTIONS)))
    assert "✓ 001_a" in err
    assert "1 applied" in err
    assert container.ends("app")[:2] == (0, "app runs\n")


def test_its_options_are_its_own_without_dashes_too(plain: Container) -> None:
    process = plain.run("pgvouch", "entrypoint", "app", "--wait", "never", "--json")
    assert ended(process)[:2] == (0, "app runs\n--wait\nnever\n--json\n")


def test_its_environment_is_as_it_was_given(container: Container) -> None:
    # In the C locale, in which Python would add a variable of its own.
    given = container.environment(ODD="\udcff", EQUALS="a=b\nc", LANG="C")
    _, out, err = container.ends("env", "-0", ODD="\udcff", EQUALS="a=b\nc", LANG="C")
    assert out, err
    found = dict(entry.split("=", 1) for entry in out.split("\0") if entry)
    if container.way == "script":  # a shell keeps an account of itself
        given["PGVOUCH_WAIT"] = "60s"
        found = {k: v for k, v in found.items() if k not in {"PWD", "OLDPWD", "SHLVL", "_"}}
    assert found == given


@pytest.mark.parametrize(
    "command", [("grep", "Sig[IB]", "/proc/self/status"), ("ls", "/proc/self/fd")]
)
def test_no_signal_is_ignored_and_no_file_left_open(
    container: Container, command: tuple[str, ...]
) -> None:
    code, out, _ = container.ends(*command)
    assert code == 0
    assert out == ended(container.run(*command))[1]
    assert "0000000000000000" in out or "0\n1\n2\n" in out


def _ignored(status: str) -> int:
    return int(status.split()[1], 16)


@pytest.mark.parametrize(
    ("trap", "ignored"),
    [("trap '' INT", 0x2), ("trap '' INT TERM HUP", 0x4003)],
)
def test_a_signal_that_was_ignored_still_is(
    container: Container, monkeypatch: pytest.MonkeyPatch, trap: str, ignored: int
) -> None:
    """A shell has those ignored that are not for what it starts in the background."""
    asks = ("grep", "SigIgn", "/proc/self/status")
    before, started = subprocess.check_output(asks, text=True), subprocess.Popen

    def ignoring(command: list[str], **more: Any) -> "subprocess.Popen[str]":
        return started(["bash", "-c", f'{trap}; exec "$@"', "bash", *command], **more)

    monkeypatch.setattr(subprocess, "Popen", ignoring)
    code, out, err = container.ends(*asks)
    assert code == 0, err
    # Whoever has started the tests may have some ignored; what lies above 31 is the C library's own.
    assert _ignored(out) & 0x7FFFFFFF == (_ignored(before) | ignored) & 0x7FFFFFFF


def test_stdin_is_passed_on(container: Container) -> None:
    process = container.start("cat")
    assert process.communicate("for the application\n", timeout=60)[0] == "for the application\n"
    assert process.returncode == 0


def test_no_connection_stays(container: Container) -> None:
    container.command("server", "echo up; exec cat")
    process = container.start("server")
    up(process)
    until(container.url, f"not exists (select from pg_stat_activity where {OURS})")
    assert process.communicate("", timeout=60)[0] == ""


TRAP = """
import signal, sys
def told(number, frame):
    print("told", signal.Signals(number).name)
    sys.exit(7)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, told)
print("up", flush=True)
while True:
    signal.pause()
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_reaches_it(container: Container, name: str) -> None:
    process = container.start(sys.executable, "-c", TRAP)
    up(process)
    assert terminate(process, signal.Signals[name])[:2] == (7, f"told {name}\n")


def test_without_a_trap_it_dies_of_the_signal(container: Container) -> None:
    container.command("server", "echo up; exec cat")
    process = container.start("server")
    up(process)
    assert terminate(process)[0] == -signal.SIGTERM


# Signals ahead of it.


def test_sigterm_while_it_migrates(container: Container) -> None:
    container.migrations({"002_b.sql": "create table b (); select pg_sleep(600);"})
    process = container.start("app")
    until(container.url, SLEEPING)
    code, out, err = terminate(process)
    assert (code, out) == (143, "")
    assert "Nothing of 002_b is in the database. Landed before it: 001_a." in err
    assert not container.app_ran
    until(container.url, f"not {SLEEPING}")
    assert _applied(container.url) == ["001_a"]
    container.migrations({"002_b.sql": "create table b ();"})
    assert container.ends("app")[:2] == (0, "app runs\n")
    assert _applied(container.url) == ["001_a", "002_b"]


def test_sigterm_while_it_waits_for_the_server(container: Container) -> None:
    container.url = through(free_port(), "nowhere")
    process = container.start("app")
    assert "no connection to nowhere at 127.0.0.1" in line(process)
    code, out, err = terminate(process)
    assert (code, out) == (143, "")
    assert "interrupted by SIGTERM" in err
    assert not container.app_ran


def test_sigterm_while_it_waits_for_the_schema(container: Container) -> None:
    process = container.start("app", migrate=False)
    assert "001_a is not applied yet" in line(process)
    assert terminate(process)[:2] == (143, "")
    assert not container.app_ran


# On failure the application never starts.


def test_a_dotenv_in_the_image_names_no_database(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    (container.root / ".env").write_text(f"DATABASE_URL={container.url}\n")
    given = container.environment

    def without_url(**more: str) -> dict[str, str]:
        return {name: text for name, text in given(**more).items() if name != "DATABASE_URL"}

    monkeypatch.setattr(container, "environment", without_url)
    err = container.refused(2)
    assert "no database is named" in err
    assert "an entrypoint reads the environment alone, and no .env" in err
    assert not _has_ledger(container.url)


def test_without_a_url(container: Container) -> None:
    assert "no database is named" in container.refused(2, DATABASE_URL="")


def test_a_migration_fails(container: Container) -> None:
    container.migrations({"002_b.sql": "create table a ();"})
    err = container.refused(1)
    assert "42P07" in err
    assert _applied(container.url) == ["001_a"]


def test_a_promise_is_broken(container: Container) -> None:
    container.migrations(
        {"verify/001_a.sql": "-- check: there is a row\nselect count(*) = 1 from a;"}
    )
    assert "does not keep its promise: there is a row" in container.refused(1)
    assert not _applied(container.url)


def test_a_promise_is_missing_where_it_is_required(container: Container) -> None:
    (container.root / "pgvouch.toml").write_text('verify = "required"\n')
    assert "001_a" in container.refused(2)
    assert not _has_ledger(container.url)


@pytest.mark.parametrize("migrate", [True, False])
def test_an_applied_file_has_changed(container: Container, migrate: bool) -> None:
    assert container.ends("true")[0] == 0
    container.migrations({"001_a.sql": "create table a (n int);"})
    assert "its file has changed" in container.refused(4, migrate=migrate)


@pytest.mark.parametrize("migrate", [True, False])
def test_the_database_is_ahead(container: Container, migrate: bool) -> None:
    container.migrations({"002_b.sql": "create table b ();"})
    assert container.ends("true")[0] == 0
    (container.root / "migrations" / "002_b.sql").unlink()
    code, out, err = container.ends("app", migrate=migrate)
    assert (code, out) == (0, "app runs\n"), err
    assert ("ahead of these files by 002_b" in err) == migrate


def test_no_command(container: Container) -> None:
    code, out, err = container.ends()
    assert (code, out) == (2, "")
    assert "pgvouch entrypoint needs -- CMD..." in err
    assert not _has_ledger(container.url)


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("not-there", 127, "there is no command not-there"),
        ("./not-there", 127, "there is no command ./not-there"),
        ("", 127, "there is no command"),
        ("./plain", 126, "./plain cannot be executed"),
        ("plain", 126, "plain cannot be executed"),
        ("./migrations", 126, "./migrations cannot be executed"),
    ],
)
def test_a_command_that_cannot_run_is_noticed_ahead_of_everything(
    container: Container, command: str, code: int, said: str
) -> None:
    for folder in (container.root, container.bin):
        (folder / "plain").write_text("#!/bin/sh\n")
    assert said in container.refused(code, command)
    assert not _has_ledger(container.url)


@pytest.mark.parametrize("text", ["#!/no/such/shell\n", "no first line\n"])
def test_a_command_that_fails_to_start(container: Container, text: str) -> None:
    (container.bin / "broken").write_text(text)
    (container.bin / "broken").chmod(0o755)
    err = container.refused(126, "broken")
    assert "the command did not start" in err
    assert _applied(container.url) == ["001_a"]


# Waiting for the server.


@pytest.mark.parametrize("migrate", [True, False])
def test_the_server_comes_up_later(container: Container, pg18: Server, migrate: bool) -> None:
    if not migrate:
        assert container.ends("true")[0] == 0
    port = free_port()
    container.url = through(port, database_of(container.url))
    process = container.start("app", migrate=migrate)
    assert "no connection to" in line(process)
    with recording(socket_of(pg18), port):
        code, out, err = ended(process)
    assert (code, out) == (0, "app runs\n"), err


@pytest.mark.parametrize("options", [(), ("--no-migrate",)])
def test_it_waits_without_being_told(
    plain: Container, pg18: Server, options: tuple[str, ...]
) -> None:
    assert plain.ends("true")[0] == 0
    port = free_port()
    plain.url = through(port, database_of(plain.url))
    process = plain.run("pgvouch", "entrypoint", *options, "--", "app")
    assert "no connection to" in line(process)
    with recording(socket_of(pg18), port):
        assert ended(process)[:2] == (0, "app runs\n")


@pytest.mark.parametrize("migrate", [True, False])
@pytest.mark.parametrize("wait", ["0", "2s"])
def test_the_server_never_comes_up(container: Container, migrate: bool, wait: str) -> None:
    container.url = through(free_port(), "nowhere")
    err = container.refused(5, migrate=migrate, wait=wait)
    assert "Connection refused" in err
    assert ("; waiting up to" in err) == (wait != "0")


# Replicas and restarts.


@pytest.mark.parametrize("migrate", [10, 4])
def test_ten_replicas(container: Container, migrate: int) -> None:
    (container.root / "migrations" / "001_a.sql").unlink()
    world.write(container.root / "migrations")
    replicas = [container.start("app", str(n), migrate=n < migrate) for n in range(10)]
    results = [ended(replica) for replica in replicas]
    assert [result[:2] for result in results] == [(0, f"app runs\n{n}\n") for n in range(10)], (
        results
    )
    world.refuse_unfinished(container.url)


def test_a_restart_after_it_was_killed(container: Container) -> None:
    container.migrations(
        {
            "002_b.sql": "-- lock_timeout: 5min\ncreate table b ();\n"
            "select pg_advisory_xact_lock(4711);\ninsert into landed values (2);",
            "001_a.sql": "create table landed (n int);",
        }
    )
    waiting = (
        "exists (select from pg_locks where locktype = 'advisory' and objid = 4711 "
        "and database = (select oid from pg_database where datname = current_database()) "
        "and not granted)"
    )
    with _gate(container.url) as release:
        killed = container.start("app")
        until(container.url, waiting)
        killed.kill()
        assert ended(killed)[0] == -signal.SIGKILL
        # The server has not noticed: it still works for the one that is gone.
        again = container.start("app")
        assert "another runner is at work" in line(again)
        release()
        code, out, err = ended(again)
    assert (code, out) == (0, "app runs\n"), err
    assert query(container.url, "select n from landed") == [(2,)]
    assert _applied(container.url) == ["001_a", "002_b"]
    assert container.ends("app")[:2] == (0, "app runs\n")


def test_a_killed_application_starts_again(container: Container) -> None:
    container.command("server", "echo up; exec cat")
    for _ in range(3):
        process = container.start("server")
        up(process)
        process.kill()
        assert ended(process)[0] == -signal.SIGKILL
    assert query(container.url, "select count(*) from pgvouch._yoyo_log") == [(1,)]
