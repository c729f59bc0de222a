"""A process that a failed test has left behind ends with the test."""

from collections.abc import Iterator

import pytest

from faults.processes import SPAWNED


@pytest.fixture(autouse=True)
def _no_process_stays() -> Iterator[None]:
    yield
    while SPAWNED:
        process = SPAWNED.pop()
        if process.poll() is None:
            process.kill()
        process.communicate()
