"""A network that is gone, a server that is frozen: nothing waits without end, and signals work.

Two things have no limit on purpose, for a statement may take hours: a server that has been sent a
statement and whose machine is alive. There the signals have to work.
"""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from conftest import Server, database_of, query
from faults.processes import SLEEPING, ended, migrating, spawn, until, wake
from pgvouch.errors import NotReadyError
from pgvouch.postgres.connect import open_connection
from pgvouch.postgres.session import ConnectionLost, Session
from support.proxy import Recorded, recording


@contextmanager
def _proxied(server: Server, url: str) -> Iterator[tuple[Recorded, str]]:
    path = f"{server.running.socket_folder}/.s.PGSQL.{server.running.port}"
    with recording(path) as proxy:
        where = f"postgresql://postgres@127.0.0.1:{proxy.port}/{database_of(url)}"
        yield proxy, where + "?sslmode=disable&gssencmode=disable"


@contextmanager
def _silent() -> Iterator[str]:
    """Accept connections and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql://postgres@127.0.0.1:{listener.getsockname()[1]}/x"


def _folder(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "m"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name[1:]}.sql").write_text(text)
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["migrate", "rollback"])
def test_a_signal_ends_it_while_nobody_answers(
    pg18: Server, url: str, tmp_path: Path, number: signal.Signals, verb: str
) -> None:
    sleep = "select pg_sleep(600);"
    folder = _folder(
        tmp_path,
        _001_a="create table a ();",
        _002_b=sleep if verb == "migrate" else "select 1;",
    )
    (folder / "002_b.rollback.sql").write_text(sleep)
    if verb == "rollback":
        assert ended(migrating(folder, url))[0] == 0
    with _proxied(pg18, url) as (proxy, through):
        process = spawn(verb, "--migrations", str(folder), "--url", through)
        until(url, SLEEPING)
        proxy.freeze()
        process.send_signal(number)
        try:
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
        assert process.returncode == 128 + number
        assert f"interrupted by {number.name}" in err
        assert "only if its COMMIT arrived; the server does not answer" in err
        assert "Traceback" not in err
        wake(url, "terminate")


def test_a_second_signal_ends_it_at_once(pg18: Server, url: str, tmp_path: Path) -> None:
    folder = _folder(tmp_path, _001_a="select pg_sleep(600);")
    with _proxied(pg18, url) as (proxy, through):
        process = migrating(folder, through)
        until(url, SLEEPING)
        proxy.freeze()
        process.send_signal(signal.SIGTERM)
        for _ in range(600):
            query(url, "select pg_sleep(0.1)")
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 143
        assert "Traceback" not in err
        assert "Exception ignored" not in err
        wake(url, "terminate")


def test_a_signal_while_a_driver_waits_by_itself(pg18: Server, url: str, tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "001_a.py").write_text(
        "from yoyo import step\nsteps = [step('select pg_sleep(600)')]\n"
    )
    with _proxied(pg18, url) as (proxy, through):
        process = migrating(folder, through)
        until(url, SLEEPING)
        proxy.freeze()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 143
        assert "interrupted by SIGTERM" in err
        assert "Traceback" not in err
        wake(url, "terminate")


def test_a_machine_that_takes_nothing_any_more(pg18: Server, url: str, tmp_path: Path) -> None:
    """Sent bytes that are never acknowledged: the kernel gives up after tcp_user_timeout."""
    folder = _folder(tmp_path, _001_a="select 1;", _002_b=f"select '{'x' * 20_000_000}';")
    assert ended(migrating(folder, url, "--to", "1"))[0] == 0
    with _proxied(pg18, url) as (proxy, through):
        proxy.largest = 1 << 20
        code, _, err = ended(migrating(folder, f"{through}&tcp_user_timeout=1000"))
    assert code == 5, err
    assert "the connection was lost during 002_b" in err


def test_a_server_that_never_answers(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _001_a="select 1;")
    with _silent() as url:
        for arguments in (["migrate"], ["migrate", "--wait", "3s"], ["wait", "--wait", "2s"]):
            code, _, err = ended(spawn(*arguments, "--migrations", str(folder), "--url", url))
            assert code == 5
            assert "no connection to x at 127.0.0.1" in err
            assert "timeout expired" in err
        # The URL may say more, and --wait has the last word.
        code, _, err = ended(
            spawn("wait", "--wait", "2s", "--migrations", str(folder),
                  "--url", f"{url}?connect_timeout=600")
        )  # fmt: skip
        assert code == 5


def test_a_signal_while_a_server_never_answers(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _001_a="select 1;")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"postgresql://u@127.0.0.1:{listener.getsockname()[1]}/x?connect_timeout=600"
        process = migrating(folder, url)
        client, _ = listener.accept()
        process.send_signal(signal.SIGTERM)
        code, _, err = ended(process)
        client.close()
    assert code == 143
    assert "Traceback" not in err


def test_waiting_for_a_schema_ends_in_time(pg18: Server, url: str, tmp_path: Path) -> None:
    folder = _folder(tmp_path, _001_a="select 1;")
    with _proxied(pg18, url) as (proxy, through):
        process = spawn("wait", "--for-schema", "--wait", "6s", "--migrations", str(folder),
                        "--url", through)  # fmt: skip
        assert process.stderr is not None
        assert "001_a is not applied yet" in process.stderr.readline()
        proxy.freeze()
        code, _, err = ended(process)
    assert code == 5
    assert "Traceback" not in err


def test_answers_have_a_limit_where_one_is_set(pg18: Server, url: str) -> None:
    with _proxied(pg18, url) as (proxy, through), Session.open(through) as session:
        session.run("select 1")
        proxy.freeze()
        with pytest.raises(ConnectionLost, match="does not answer"), session.limited(0.2):
            session.run("select 1")
        with pytest.raises(NotReadyError), session.limited(0.2):
            session.reopen()
    with Session.open(url) as session:
        with session.limited(60):
            assert session.run("select 1")[0].rows == (("1",),)
        assert session.left_s is None


def _options(connection: psycopg.Connection[object]) -> list[int]:
    names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return [wire.getsockopt(socket.IPPROTO_TCP, name) for name in names]


def test_the_kernel_watches_the_other_machine(
    pg18: Server, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _proxied(pg18, url) as (_, through):
        with open_connection(through, "x") as connection:
            assert _options(connection) == [15, 5, 4, 35_000]
        with open_connection(f"{through}&keepalives_idle=100&tcp_user_timeout=7000", "x") as own:
            assert _options(own) == [100, 5, 4, 7_000]
        port = through.partition("127.0.0.1:")[2].partition("/")[0]
        (tmp_path / "services").write_text(
            f"[s]\nhost=127.0.0.1\nport={port}\nuser=postgres\nkeepalives_count=9\nsslmode=disable\n"
        )
        monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
        with open_connection(f"service=s dbname={database_of(url)}", "x") as served:
            assert _options(served) == [15, 5, 9, 35_000]
    with open_connection(url, "x") as local:  # a unix socket has no network to watch
        assert local.execute("select 1").fetchone() == (1,)
