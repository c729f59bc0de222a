"""Waves and budgets are pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.errors import UsageError
from pgvouch.fleet.target import Target
from pgvouch.fleet.waves import DEFAULT, Budget, waves_of

ONE_PERCENT = Budget(1, is_percent=True)


def _targets(count: int, **given: object) -> list[Target]:
    return [Target(f"t{n}", "", "s", **given) for n in range(count)]  # type: ignore[arg-type]


def test_a_hundred_in_the_usual_waves() -> None:
    waves = waves_of(_targets(1000), DEFAULT, ONE_PERCENT)
    assert [(w.name, len(w.targets), w.may_fail) for w in waves] == [
        ("canary", 1, 0), ("1%", 10, 1), ("10%", 100, 1), ("rest", 889, 8),
    ]  # fmt: skip


def test_a_wave_that_is_named_comes_first_and_may_lose_none() -> None:
    first = [Target("a", "", "s", "friends"), Target("b", "", "s", "friends")]
    waves = waves_of([*_targets(3), *first], ("rest",), Budget(2))
    assert [(w.name, len(w.targets), w.may_fail) for w in waves] == [
        ("friends", 2, 0),
        ("rest", 3, 2),
    ]


def test_a_template_is_ahead_of_all() -> None:
    template = Target("t", "", "s", is_template=True)
    waves = waves_of([*_targets(2), template], DEFAULT, ONE_PERCENT)
    assert [w.name for w in waves] == ["template", "canary", "1%"]
    assert waves[0].targets == (template,)


@given(
    count=st.integers(0, 300),
    sizes=st.lists(st.sampled_from(["1", "2", "1%", "10%", "50%", "7", "100%"]), max_size=5),
    budget=st.sampled_from(["0", "1", "5", "1%", "100%"]),
)
def test_each_database_is_in_one_wave(count: int, sizes: list[str], budget: str) -> None:
    targets = _targets(count)
    waves = waves_of(targets, sizes, Budget.of(budget))
    assert [t for wave in waves for t in wave.targets] == targets
    assert all(wave.targets for wave in waves)
    assert all(0 <= wave.may_fail <= len(wave.targets) or wave.may_fail == 5 for wave in waves)


@pytest.mark.parametrize("text", ["", "x", "-1", "1 %%", "rest of them"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Budget.of(text)
