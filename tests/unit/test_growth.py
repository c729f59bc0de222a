"""What libpq takes for one message is told from what the process takes for itself."""

from pgvouch.wire import Growth

MB = 1 << 20


def _grown(growth: Growth, *arrivals: int) -> bool:
    """Read arrivals of so many MB, all of which stay."""
    kept: list[bytearray] = []
    return [
        growth.reading(lambda size=size: kept.append(bytearray(b"x") * (size * MB)))
        for size in arrivals
    ][-1]


def test_a_message_that_does_not_end_is_too_much() -> None:
    assert not _grown(Growth(watched=True), 10, 10)
    assert _grown(Growth(watched=True), 10, 10, 10)


def test_what_we_ask_for_ourselves_may_be_large() -> None:
    assert not _grown(Growth(), 30, 30)


def test_what_else_the_process_takes_does_not_count() -> None:
    growth = Growth(watched=True)
    assert not growth.reading(lambda: None)
    own = bytearray(b"x") * (60 * MB)
    assert not growth.reading(lambda: None)
    assert len(own) == 60 * MB


def test_messages_one_after_the_other_are_not_added_up() -> None:
    growth = Growth(watched=True)
    for _ in range(10):
        passing: list[bytearray] = []
        assert not growth.reading(lambda to=passing: to.append(bytearray(b"x") * (10 * MB)))
        del passing
