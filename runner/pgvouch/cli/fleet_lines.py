"""A rollout as JSON lines on stdout: one object as soon as something has happened.

A rollout can take a night, and whoever reads it with a program wants to know meanwhile.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pgvouch.cli import output

if TYPE_CHECKING:
    from pgvouch.fleet.rollout import Summary
    from pgvouch.fleet.target import Result

_EVERY_S = 30.0
"""After so long without a line it is said what is under way."""


class Lines:
    """Prints them."""

    def __init__(self, fleet: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Say which fleet, and what time it is."""
        self._fleet, self._clock_s = fleet, clock_s
        self._said_s = clock_s()

    def __call__(self, event: object) -> None:
        """Print what has happened."""
        name, now_s = _NAMES[type(event).__name__], self._clock_s()
        if name == "under_way" and now_s - self._said_s < _EVERY_S:
            return
        self._said_s = now_s
        self._print(name, _fields(event))

    def summary(self, summary: "Summary", seconds: float | None) -> None:
        """Print how it ended, as the last line."""
        took = {} if seconds is None else {"seconds": round(seconds, 3)}
        self._print("summary", {**took, **of_summary(summary)})

    def _print(self, event: str, fields: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"at": at, "event": event, "fleet": self._fleet, **fields}
        output.say_json(line, indent=None)


_NAMES = {
    **{"Began": "wave", "Ended": "database", "UnderWay": "under_way"},
    **{"Asks": "gate", "Stopped": "stopped"},
    **{"Taken": "databases", "Judged": "judged", "Trouble": "trouble"},  # of a worker
}


def _fields(event: Any) -> dict[str, Any]:
    match type(event).__name__:
        case "Began":
            counts = {"databases": event.databases, "may_fail": event.may_fail}
            return {"wave": event.wave, **counts, "of_all": event.of_all}
        case "Ended":
            counts = {"done": event.done, "of": event.of}
            return {"wave": event.wave, **of_result(event.result), **counts}
        case "Asks":
            return {"wave": event.wave, "asks": event.what, "seconds": event.seconds}
        case "Taken":
            of_each = [of_result(result) for result in event.results]
            at = {"rollout": event.rollout, "wave": event.wave}
            return {**at, "seconds": round(event.seconds, 3), "databases": of_each}
        case "UnderWay" | "Judged" | "Trouble":
            return {k: round(v, 3) if k == "seconds" else v for k, v in asdict(event).items()}
    counts = {"failed": event.failed, "may_fail": event.may_fail}
    return {"wave": event.wave, **counts, "reason": event.reason}


def of_summary(summary: "Summary") -> dict[str, Any]:
    """Return how a fleet stands, or how its rollout ended."""
    return {
        "rollout": summary.number or None,
        "stopped_in": summary.stopped_in,
        "reason": summary.reason,
        "databases": [of_result(result) for result in summary.results],
    }


def of_result(result: "Result") -> dict[str, Any]:
    """Return what became of a database."""
    return {
        "name": result.target,
        "state": str(result.state),
        "version": result.version,
        "finished": list(result.finished),
        "pending": result.pending,
        "cause": result.cause,
        "seconds": round(result.seconds, 3),
    }
