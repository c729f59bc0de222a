"""What libpq takes for one message is told from what the process takes for itself."""

from collections.abc import Callable

import pytest

from pgvouch import wire
from pgvouch.wire import Growth


class Process:
    """As much memory as a test says."""

    def __init__(self) -> None:
        self.resident_mb = 40

    def takes(self, size_mb: int) -> Callable[[], None]:
        def take() -> None:
            self.resident_mb += size_mb

        return take


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    found = Process()
    monkeypatch.setattr(wire, "_resident_mb", lambda: found.resident_mb)
    return found


def test_a_message_that_does_not_end_is_too_much(process: Process) -> None:
    growth = Growth(watched=True)
    assert [growth.reading(process.takes(10)) for _ in range(3)] == [False, False, True]


def test_what_we_ask_for_ourselves_may_be_large(process: Process) -> None:
    growth = Growth()
    assert not any(growth.reading(process.takes(10)) for _ in range(9))


def test_what_else_the_process_takes_does_not_count(process: Process) -> None:
    growth = Growth(watched=True)
    for _ in range(9):
        assert not growth.reading(process.takes(1))
        process.takes(60)()


def test_what_is_given_back_does_not_count(process: Process) -> None:
    """Notices come one after the other, with no result between them."""
    growth = Growth(watched=True)
    for _ in range(9):
        assert not growth.reading(process.takes(10))
        process.takes(-10)()


def test_every_message_begins_anew(process: Process) -> None:
    growth = Growth(watched=True)
    for _ in range(9):
        assert not growth.reading(process.takes(10))
        growth.restart()
