"""Durations as PostgreSQL writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.sqltext.duration import is_duration, seconds

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


LONGEST_S = (2**31 - 1) / 1000  # PostgreSQL keeps such a setting as an integer of milliseconds


@given(st.integers(0, 10**14), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]))
def test_a_number_and_a_unit(number: int, unit: str, gap: str) -> None:
    text = f"{number}{gap}{unit}"
    assert seconds(text) == pytest.approx(number * UNITS[unit])
    assert is_duration(text) is (number * UNITS[unit] <= LONGEST_S)


@given(st.integers(0, 10**6))
def test_a_bare_number_means_what_is_said(number: int) -> None:
    assert seconds(str(number)) == pytest.approx(number / 1000)
    assert seconds(str(number), unit="s") == number


@pytest.mark.parametrize("wrong", ["", "s", "-1s", "1 month", "05s", "1.5s", "5S", "5s;", "1e3"])
def test_anything_else_is_none(wrong: str) -> None:
    assert not is_duration(wrong)
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(wrong)
