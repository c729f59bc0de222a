"""What libpq takes for one message is told from what the process takes for itself."""

import pytest

from pgvouch.postgres import result
from pgvouch.postgres.result import Growth


class Process:
    """As much memory as a test says."""

    def __init__(self) -> None:
        self.writable_mb = 40


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    found = Process()
    monkeypatch.setattr(result, "_writable_mb", lambda: found.writable_mb)
    return found


def _reads(growth: Growth, process: Process, size_mb: int) -> bool:
    """Let libpq take so much for what has arrived, and say whether it is too much."""
    growth.skip()
    process.writable_mb += size_mb
    return growth.is_too_much()


def test_a_message_that_does_not_end_is_too_much(process: Process) -> None:
    growth = Growth(watched=True)
    assert [_reads(growth, process, 10) for _ in range(3)] == [False, False, True]


def test_room_that_is_asked_for_is_enough(process: Process) -> None:
    growth = Growth(watched=True)
    process.writable_mb += 300
    assert growth.is_too_much()


def test_what_we_ask_for_ourselves_may_be_large(process: Process) -> None:
    growth = Growth()
    assert not any(_reads(growth, process, 10) for _ in range(9))


def test_what_else_the_process_takes_does_not_count(process: Process) -> None:
    growth = Growth(watched=True)
    for _ in range(9):
        assert not _reads(growth, process, 1)
        process.writable_mb += 60


def test_what_is_given_back_does_not_count(process: Process) -> None:
    """Notices come one after the other, with no result between them."""
    growth = Growth(watched=True)
    for _ in range(9):
        assert not _reads(growth, process, 10)
        process.writable_mb -= 10


def test_every_message_begins_anew(process: Process) -> None:
    growth = Growth(watched=True)
    for _ in range(9):
        assert not _reads(growth, process, 10)
        growth.restart()
