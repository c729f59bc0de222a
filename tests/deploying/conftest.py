"""Containers for the tests; a process that a failed test has left behind ends with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploying.containers import WAYS, Container
from faults.processes import SPAWNED


@pytest.fixture(autouse=True)
def _no_process_stays() -> Iterator[None]:
    yield
    while SPAWNED:
        process = SPAWNED.pop()
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(params=WAYS)
def container(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Container:
    """A container that starts with `pgvouch entrypoint`, and one that starts with the script."""
    found = Container(tmp_path, url, request.param)
    found.migrations({"001_a.sql": "create table a ();"})
    return found


@pytest.fixture
def plain(tmp_path: Path, url: str) -> Container:
    """The first of them alone."""
    found = Container(tmp_path, url, "command")
    found.migrations({"001_a.sql": "create table a ();"})
    return found
