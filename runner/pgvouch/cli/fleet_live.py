"""A rollout for people, on stderr: its waves, its failures, and a line that is redrawn."""

import sys
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from pgvouch.cli import output
from pgvouch.cli.live import age
from pgvouch.cli.output import Styled
from pgvouch.cli.table import cut_end, places

if TYPE_CHECKING:
    from pgvouch.fleet.rollout import Event

_BAR = 20
_LEAST_BAR = 8
_WINDOW_S = 10.0
_LEAST_ENDED = 16
"""The rate is that of the last seconds, but of so many databases at least."""


class Rate:
    """How many end in a second, of late: what was quick an hour ago says nothing of now."""

    def __init__(self) -> None:
        """Begin to count."""
        self._ended_s: deque[float] = deque()

    def count(self, now_s: float) -> None:
        """Count one that has ended, or the moment at which the first ones begin."""
        self._ended_s.append(now_s)
        while len(self._ended_s) > _LEAST_ENDED and now_s - self._ended_s[0] > _WINDOW_S:
            self._ended_s.popleft()

    def pause(self, now_s: float) -> None:
        """Begin anew: between two waves nothing can end."""
        self._ended_s = deque([now_s])

    def __call__(self, now_s: float) -> float:
        """Return how many end in a second; 0 is not known yet."""
        if len(self._ended_s) < 2:
            return 0.0
        return (len(self._ended_s) - 1) / max(now_s - self._ended_s[0], 0.001)


class Progress:
    """Tells what happens."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rate = Rate()
        self._done = self._of = self._failed = 0
        self._wave = ""
        self._causes: Counter[tuple[str, str | None]] = Counter()

    def __call__(self, event: "Event") -> None:
        """Tell of one event."""
        tellers = {
            "Began": self._began, "Ended": self._ended, "UnderWay": self._under_way,
            "Asks": _asks, "Stopped": self._stopped,
        }  # fmt: skip
        tellers[type(event).__name__](event)

    def _began(self, event: Any) -> None:
        count = f"{event.databases} database{'s' * (event.databases != 1)}"
        output.say(Styled(event.wave, bold=True), f"  {count}", err=True)
        self._of = max(event.of_all, event.databases)
        self._rate.pause(time.monotonic())
        self._draw(event.wave, 0, event.databases, now=True)

    def _ended(self, event: Any) -> None:
        self._done += 1
        self._rate.count(time.monotonic())
        is_told = self._is_told(event.result)
        if event.done < event.of:
            self._draw(event.wave, event.done, event.of, now=not is_told)
        if is_told:
            told = f" {event.result.target}  {event.result.state}: {event.result.cause}"
            output.say("  ", Styled("✗", "red"), told, err=True)
        if event.done == event.of:
            self._end_wave()

    def _under_way(self, event: Any) -> None:
        at_work = busy(event.databases, event.longest, event.seconds)
        self._draw(event.wave, event.done, event.of, now=True, at_work=at_work)

    def _end_wave(self) -> None:
        output.undraw()
        for (state, cause), count in self._causes.items():
            if count > 1 and output.redraws():
                told = f" {count - 1} more {state}: {cause}"
                output.say("  ", Styled("✗", "red"), told, err=True)
        self._causes.clear()

    def _stopped(self, event: Any) -> None:
        self._end_wave()
        many = f"{event.failed} failed, and {event.may_fail} may"
        said = f"  {event.reason or many}: nothing new is begun"
        output.say(Styled("stopped", "red", bold=True), said, err=True)

    def _is_told(self, result: Any) -> bool:
        """Say whether a failure gets a line: on a terminal once a cause, the others at the end."""
        if result.is_well:
            return False
        self._failed += 1
        self._causes[result.state, result.cause] += 1
        return self._causes[result.state, result.cause] == 1 or not output.redraws()

    def _draw(self, wave: str, done: int, of: int, *, now: bool, at_work: str = "") -> None:
        if not output.redraws():
            return
        rate = self._rate(time.monotonic())
        left = f"{age((self._of - self._done) / rate)} left" if rate else ""
        failed = f"{self._failed} failed" if self._failed else ""
        in_wave = f"{wave}: {done} of {of}" if of < self._of else ""
        # What can be done without comes first.
        facts = {"rate": _spoken(rate), "wave": in_wave, "left": left, "busy": at_work}
        facts["failed"] = failed
        room = (output.width_of(sys.stderr) or 0) - 1  # at the last place some wrap
        total = f"{self._done} of {self._of}"

        def parts() -> list[str]:
            shown = (total, *(facts[name] for name in ("wave", "rate", "left", "failed", "busy")))
            return [output.as_shown(part, sys.stderr) for part in shown if part]

        def used() -> int:
            return sum(places(part) + 2 for part in parts())

        for name in facts:
            if used() + (_LEAST_BAR + 2) * (name in {"rate", "wave"}) > room:
                facts[name] = ""
        width = min(_BAR, room - used() - 2)
        bar: list[str | Styled] = []
        if width >= _LEAST_BAR:
            filled = width * self._done // max(self._of, 1)
            bar = [Styled("━" * filled, "green"), "─" * (width - filled), "  "]
        told = "  ".join(parts())
        output.draw("  ", *bar, told if bar else cut_end(told, max(room - 2, 0), "."), now=now)


def busy(databases: int, longest: str, seconds: float) -> str:
    """Return what is under way, in a few words: the one to look at first by name."""
    at_once = f"{databases} under way, " if databases > 1 else ""
    return f"{at_once}{longest} for {age(seconds)}"


def _spoken(rate: float) -> str:
    if rate >= 10:
        return f"{rate:.0f}/s"
    return (f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.0f}/min") if rate else ""


def _asks(event: Any) -> None:
    output.undraw()
    wait = f"  {age(event.seconds)}" if event.seconds is not None else ""
    output.say(f"  {event.what}{wait}", err=True)
