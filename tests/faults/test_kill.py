"""kill -9 of the program, of its backend, of the whole server, at sampled messages of a run."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_postgresql.janitor import DatabaseJanitor

from conftest import _SERVERS, BINARIES, Server, query, start
from faults import world
from faults.processes import crash, ended, migrating
from pgvouch import server as servers
from pgvouch.config import Project
from proxy import Fault, Recorded, When, recording

POINTS = [(at, when) for at, when in zip(range(3, 60, 9), [*When, *When], strict=False)]


def _through(proxy: Recorded, database: str) -> str:
    return f"postgresql://postgres@127.0.0.1:{proxy.port}/{database}?sslmode=disable"


def _socket(server: Server) -> str:
    return f"{server.running.socket_folder}/.s.PGSQL.{server.running.port}"


def _finish(folder: Path, url: str) -> None:
    code, _, err = ended(migrating(folder, url, "--wait", "60s"))
    assert code == 0, err
    world.refuse_unfinished(url)


@pytest.mark.parametrize(("at", "when"), POINTS)
def test_the_program_is_killed(pg18: Server, url: str, tmp_path: Path, at: int, when: When) -> None:
    folder = world.write(tmp_path / "m")
    database = str(query(url, "select current_database()")[0][0])
    with recording(_socket(pg18)) as proxy:
        process = None

        def kill() -> None:
            assert process is not None
            process.kill()
            process.wait()

        proxy.fault = Fault(at, when, kill)
        process = migrating(folder, _through(proxy, database))
        assert ended(process)[0] == -signal.SIGKILL
    world.refuse_disagreement(url)
    _finish(folder, url)


@pytest.mark.parametrize(("at", "when"), POINTS[:4])
def test_its_backend_is_terminated(
    pg18: Server, url: str, tmp_path: Path, at: int, when: When
) -> None:
    folder = world.write(tmp_path / "m")
    database = str(query(url, "select current_database()")[0][0])

    def terminate() -> None:
        query(
            pg18.url("postgres"),
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
            f"where datname = '{database}' and application_name like 'pgvouch%'",
        )

    with recording(_socket(pg18)) as proxy:
        proxy.fault = Fault(at, when, terminate)
        code, _, err = ended(migrating(folder, _through(proxy, database)))
        assert code == 5
        assert "the connection was lost" in err
    world.refuse_disagreement(url)
    _finish(folder, url)


@pytest.fixture(scope="module")
def mortal(pg18: Server) -> Iterator[Server]:
    """A server of its own, for it will die."""
    del pg18
    found = start("pg18", "mortal")
    yield found
    root = Path(os.environ[_SERVERS])
    servers.stop(_project(root))
    shutil.rmtree(root / "mortal", ignore_errors=True)


def _project(root: Path) -> Project:
    return Project(
        root, root, root, root, embedded_bin=BINARIES["pg18"], embedded_data=root / "mortal"
    )


@pytest.mark.parametrize(("at", "when"), POINTS[1::2])
def test_the_server_crashes_and_comes_back(
    mortal: Server, tmp_path: Path, at: int, when: When
) -> None:
    folder = world.write(tmp_path / "m")
    name = f"crash_{at}"
    janitor = DatabaseJanitor(
        user="postgres",
        host=str(mortal.running.socket_folder),
        port=mortal.running.port,
        dbname=name,
        connection_timeout=30,
    )
    with janitor, recording(_socket(mortal)) as proxy:
        proxy.fault = Fault(at, when, lambda: crash(mortal.url("postgres")))
        code, _, err = ended(migrating(folder, _through(proxy, name)))
        assert proxy.fault.struck.is_set()
        assert code == 5, err
        assert "Traceback" not in err
        _finish(folder, mortal.url(name))


def test_the_server_is_killed_and_started_again(mortal: Server, tmp_path: Path) -> None:
    folder = world.write(tmp_path / "m")
    url = mortal.url("restarted")
    query(mortal.url("postgres"), "create database restarted")
    root = Path(os.environ[_SERVERS])

    def stop() -> None:
        pid = int((root / "mortal" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)  # as `pg_ctl stop --mode immediate`: no checkpoint
        for _ in range(3000):
            if not (root / "mortal" / "postmaster.pid").exists():
                return
            subprocess.run(["/bin/sh", "-c", "exec true"], check=True)
        raise AssertionError("it does not end")

    with recording(_socket(mortal)) as proxy:
        proxy.fault = Fault(30, When.AFTER, stop)
        process = migrating(folder, _through(proxy, "restarted"))
        assert proxy.fault.struck.wait(60)
        # A run that finds no server waits for it.
        waiting = migrating(folder, url, "--wait", "60s")
        assert waiting.stderr is not None
        assert "no connection to" in waiting.stderr.readline()
        servers.ensure_running(_project(root))
        assert ended(process)[0] == 5
        code, _, err = ended(waiting)
        assert code == 0, err
    world.refuse_unfinished(url)
