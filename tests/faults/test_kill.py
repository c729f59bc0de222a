"""kill -9 of the program, of its backend, of the whole server, at sampled messages of a run."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Server, _project, query, start
from faults import tries, world
from faults.processes import ended, migrating
from pgvouch import embedded as servers
from support.proxy import Fault, When, recording

POINTS = list(zip(range(3, 64, 15), [*When, *When], strict=False))


@pytest.mark.parametrize(("at", "when"), POINTS)
def test_the_program_is_killed(pg18: Server, tmp_path: Path, at: int, when: When) -> None:
    assert tries.kill(pg18, world.write(tmp_path / "m"), at, when) == -signal.SIGKILL


@pytest.mark.parametrize(("at", "when"), POINTS[:3])
def test_its_backend_is_terminated(pg18: Server, tmp_path: Path, at: int, when: When) -> None:
    assert tries.terminate(pg18, world.write(tmp_path / "m"), at, when) == 5


@pytest.fixture(scope="module")
def mortal(pg18: Server) -> Iterator[Server]:
    """A server of its own, for it will die."""
    del pg18
    yield start("pg18", "mortal")
    servers.stop(_project("pg18", "mortal"))
    shutil.rmtree(_project("pg18", "mortal").server_data)


@pytest.mark.parametrize(("at", "when"), POINTS[1::2])
def test_the_server_crashes_and_comes_back(
    mortal: Server, tmp_path: Path, at: int, when: When
) -> None:
    assert tries.crash_server(mortal, world.write(tmp_path / "m"), at, when) == 5


@pytest.mark.parametrize(("at", "when"), POINTS[::2])
def test_its_disk_is_full(mortal: Server, tmp_path: Path, at: int, when: When) -> None:
    assert tries.fill_disk(mortal, world.write(tmp_path / "m"), at, when) in {0, 1, 5}


@pytest.mark.parametrize(("at", "when"), POINTS[1:4])
def test_the_network_is_gone(pg18: Server, tmp_path: Path, at: int, when: When) -> None:
    assert tries.freeze(pg18, world.write(tmp_path / "m"), at, when) in {5, 143}


@pytest.mark.parametrize(("at", "when"), POINTS[1:4])
def test_it_is_stopped_and_goes_on(pg18: Server, tmp_path: Path, at: int, when: When) -> None:
    assert tries.stop(pg18, world.write(tmp_path / "m"), at, when) in {0, 2, 5}


def test_the_server_is_killed_and_started_again(mortal: Server, tmp_path: Path) -> None:
    folder = world.write(tmp_path / "m")
    url = mortal.url("restarted")
    query(mortal.url("postgres"), "create database restarted")
    pid_file = _project("pg18", "mortal").server_data / "postmaster.pid"

    def stop() -> None:
        # As `pg_ctl stop --mode immediate` does it: without a checkpoint.
        os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGQUIT)
        for _ in range(3000):
            if not pid_file.exists():
                return
            subprocess.run(["/bin/sh", "-c", "exec true"], check=True)
        raise AssertionError("it does not end")

    with recording(tries.socket_of(mortal)) as proxy:
        proxy.fault = Fault(30, When.AFTER, stop)
        process = migrating(folder, tries.through(proxy.port, "restarted"))
        assert proxy.fault.struck.wait(60)
        # A run that finds no server waits for it.
        waiting = migrating(folder, url, "--wait", "60s")
        assert waiting.stderr is not None
        assert "no connection to" in waiting.stderr.readline()
        servers.ensure_running(_project("pg18", "mortal"))
        assert ended(process)[0] == 5
        code, _, err = ended(waiting)
        assert code == 0, err
    world.refuse_unfinished(url)
