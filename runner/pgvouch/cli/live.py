"""The line at the bottom of a terminal: what runs now, for how long, and what is left."""

import os
import sys
import time
from collections.abc import Sequence

from pgvouch.cli import output
from pgvouch.cli.output import Styled
from pgvouch.cli.table import cut, cut_end, places
from pgvouch.events import Running

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_FRAMES = "|/-\\"
_FRAMES_IN_A_SECOND = 8
_MANY = 10
"""From so many migrations on there is a bar."""
_BAR = 20
_LEAST_WITH_BAR = 56
_LEAST_NAME = 16
_SOON_S = 0.5
"""A run that is over by then needs no bar."""


class Live:
    """Draws that line."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = ids
        self._done = 0
        self._began_s = time.monotonic()

    def running(self, event: Running) -> None:
        """Show a migration that takes its time."""
        facts = []
        if event.statement:
            facts.append(f"statement {event.statement} of {event.statements}")
        if event.percent is not None:
            facts.append(f"{event.percent:.0f} %")
        if event.doing:
            facts.append(event.doing)
        self._draw(event.id, age(event.elapsed_s), *facts)

    def waiting(self, remaining_s: float | None) -> None:
        """Show that something is waited for, which was said already."""
        left = f", for up to {age(remaining_s)} more" if remaining_s else ""
        self._draw("", f"waiting{left}")

    def finished(self) -> None:
        """Count a migration as done; what is said of it next is printed above the bar."""
        self._done += 1
        is_long = time.monotonic() - self._began_s > _SOON_S
        if is_long and _MANY <= len(self._ids) > self._done:
            self._draw("", now=False)
        else:
            output.undraw()

    def _draw(self, name: str, *told: str, now: bool = True) -> None:
        room = (output.width_of(sys.stderr) or 0) - 1  # at the last place some wrap
        pieces: list[str | Styled] = ["  ", Styled(_frame(), "cyan"), " "]
        count = f"{self._done} of {len(self._ids)}" if len(self._ids) > 1 else ""
        used = len("  . ")
        if len(self._ids) >= _MANY and room >= _LEAST_WITH_BAR:
            done = _BAR * self._done // len(self._ids)
            pieces += [Styled("━" * done, "green"), "─" * (_BAR - done), " "]
            used += _BAR + 1
        name, *facts = (output.as_shown(part, sys.stderr) for part in (name, *told))
        parts = [part for part in (count, name, *facts) if part]
        excess = used + sum(map(places, parts)) + 2 * (len(parts) - 1) - room
        if excess > 0 and name:  # the name gives way a little, then the end of the line
            beside = used + sum(places(part) + 2 for part in (count, *facts[:1]) if part)
            least = max(min(_LEAST_NAME, room - beside), 1)
            parts[parts.index(name)] = cut(name, max(places(name) - excess, least), _dots())
        pieces.append(cut_end("  ".join(parts), max(room - used, 0), _dots()))
        output.draw(*pieces, now=now)


def _dots() -> str:
    return output.as_shown("…", sys.stderr)


def _frame() -> str:
    """Return the sign in front; without colour it stays as it is."""
    if os.environ.get("NO_COLOR"):
        return "…" if _dots() == "…" else "."
    # The console of Linux has no such characters.
    is_plain = _dots() != "…" or os.environ.get("TERM") == "linux"
    frames = _PLAIN_FRAMES if is_plain else _FRAMES
    return frames[int(time.monotonic() * _FRAMES_IN_A_SECOND) % len(frames)]


def age(seconds: float) -> str:
    """Return a time for people: `12 s`, `2 min 05 s`, `1 h 02 min`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
