"""Durations as PostgreSQL writes them: 500ms, 5s, 10min. No I/O."""

import re

_DURATION = re.compile(r"(?P<number>0|[1-9][0-9]{0,14})\s*(?P<unit>us|ms|s|min|h|d)?\Z")
_LONGEST_S = ((1 << 31) - 1) / 1000
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def is_duration(text: str) -> bool:
    """Say whether PostgreSQL would take a text for a time setting such as lock_timeout.

    Such a setting is an integer of milliseconds, so 24 days are about the longest; see
    https://www.postgresql.org/docs/current/config-setting.html.
    """
    return _DURATION.match(text) is not None and seconds(text) <= _LONGEST_S


def seconds(text: str, *, unit: str = "ms") -> float:
    """Return a duration in seconds.

    Args:
        text: a number and a unit.
        unit: what a bare number means; PostgreSQL's time settings mean milliseconds.

    Raises:
        ValueError: it is not a duration.
    """
    match = _DURATION.match(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 500ms, 5s or 10min")
    return int(match["number"]) * _SECONDS[match["unit"] or unit]
