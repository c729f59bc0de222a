"""The program as a process of its own, and servers that tests may kill."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from conftest import Server, query

DEADLINE_S = 60


SPAWNED: list["subprocess.Popen[str]"] = []


def spawn(*arguments: str, cwd: Path | None = None, **environment: str) -> "subprocess.Popen[str]":
    """Start pgvouch; it is waited for, or killed, by who started it."""
    given = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DATABASE_URL"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "pgvouch", *arguments],
        cwd=cwd,
        env={**given, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    SPAWNED.append(process)
    return process


def migrating(folder: Path, url: str, *more: str) -> "subprocess.Popen[str]":
    """Start a migrate."""
    return spawn("migrate", "--migrations", str(folder), "--url", url, *more)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Wait for a process; return its exit code, stdout and stderr."""
    try:
        out, err = process.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it runs on after {DEADLINE_S} s, and said:\n{out}{err}") from None
    return process.returncode, out, err


def answering(url: str) -> None:
    """Try again until the server, which may be recovering from a crash, lets somebody in."""
    for attempt in Retrying(
        retry=retry_if_exception_type(psycopg.OperationalError),
        stop=stop_after_delay(DEADLINE_S),
        wait=wait_fixed(0.05),
        reraise=True,
    ):
        with attempt:
            psycopg.connect(url).close()


def until(url: str, condition: str) -> None:
    """Ask again and again until a condition holds, paced by the server's own clock."""
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(DEADLINE_S * 100):
            if connection.execute(f"select {condition}".encode()).fetchone() == (True,):
                return
            connection.execute("select pg_sleep(0.01)")
    raise AssertionError(f"never: {condition}")


ASLEEP = "from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
SLEEPING = f"exists (select {ASLEEP})"
"""Something sleeps in the database that is asked."""
AT_WORK = (
    "exists (select from pg_stat_activity where application_name = 'pgvouch fleet' "
    "and datname = current_database())"
)
"""A fleet's runner is connected to the database that is asked."""


def wake(url: str, how: str = "cancel") -> None:
    """Cancel what sleeps in a database, or terminate it.

    Once is not enough: whoever drops a database wakes all others for a moment.
    """
    until(url, f"(select bool_or(pg_{how}_backend(pid)) {ASLEEP})")


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def crash(url: str) -> None:
    """Kill a backend with SIGKILL: PostgreSQL then ends every other one and recovers."""
    (pid,) = query(url, "select pid from pg_stat_activity where backend_type = 'checkpointer'")
    os.kill(int(str(pid[0])), signal.SIGKILL)


BOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextmanager
def bouncing(server: Server, folder: Path, mode: str = "transaction") -> Iterator[int]:
    """A PgBouncer before a server; gives its port."""
    assert BOUNCER is not None
    port = free_port()
    ini = folder / "pgbouncer.ini"
    log = folder / "pgbouncer.log"
    log.touch()
    ini.write_text(
        "[databases]\n"
        f"* = host={server.running.socket_folder} port={server.running.port} user=postgres\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = {mode}\nlogfile = {log}\n"
        "default_pool_size = 4\nmax_client_conn = 100\n"
    )
    user = "nobody" if os.geteuid() == 0 else None
    for path in (folder, *folder.parents):
        if user and path.stat().st_uid == 0 and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o111)
    log.chmod(0o666)
    process = subprocess.Popen([BOUNCER, "-q", str(ini)], user=user)
    try:
        for _ in range(DEADLINE_S * 100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, log.read_text()
            query(server.url("postgres"), "select pg_sleep(0.01)")
        yield port
    finally:
        process.kill()
        process.wait()
