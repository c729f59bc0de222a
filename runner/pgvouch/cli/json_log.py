"""`--log-format json`: what happens, as one JSON object a line on stderr."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pgvouch.cli import output
from pgvouch.errors import RefusedError, VouchError
from pgvouch.events import Doubted, Event, Finished, Notice, Running, Scheduled, Waiting

_EVERY_S = 10.0
"""A migration that runs is told of that often: many read a log, and none watches it turn."""


class JsonLog:
    """Listens to a run and logs it."""

    def __init__(self, database: str, *, verbose: bool = False) -> None:
        self.database = database
        self.verbose = verbose
        self._said: tuple[Any, ...] = ()
        self._next_s = 0.0

    def __call__(self, event: Event) -> None:
        """Log one event."""
        if isinstance(event, Notice) and event.severity == "NOTICE" and not self.verbose:
            return
        if isinstance(event, Running | Waiting) and self._is_said(event):
            return
        fields = asdict(event)
        # A line of a log is cut at some 16 kB by those who collect it.
        if isinstance(event, Scheduled):
            fields = {"count": len(event.ids)}
        elif isinstance(event, Finished):
            fields["delta"] = None if event.delta is None else len(event.delta)
        if isinstance(event, Doubted):
            fields.pop("place")
            fields |= {
                "file": str(event.place.path) if event.place else None,
                "line": event.place.line if event.place else None,
            }
        is_warning = isinstance(event, Doubted | Waiting) or fields.get("severity") == "WARNING"
        level = "warning" if is_warning else "info"
        log(type(event).__name__.lower(), level, {"database": self.database, **fields})

    def _is_said(self, event: Running | Waiting) -> bool:
        """Say whether it was logged a moment ago; another statement is something else."""
        said: tuple[Any, ...]
        if isinstance(event, Running):
            said = (event.id, event.statement)
        else:
            said = (event.about or event.text,)
        now_s = time.monotonic()
        is_soon = isinstance(event, Running) and event.elapsed_s < _EVERY_S and not event.statement
        if is_soon or (said == self._said and now_s < self._next_s):
            return True
        self._said, self._next_s = said, now_s + _EVERY_S
        return False


def log(event: str, level: str, fields: Mapping[str, Any]) -> None:
    """Write one line."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    output.say_json_line({"at": at, "level": level, "event": event, **fields})


def log_error(error: VouchError, exit_code: int | None) -> None:
    """Log an error; each of those that it holds has a line of its own.

    Args:
        error: what went wrong.
        exit_code: where the program ends with it.
    """
    for each in error.errors if isinstance(error, RefusedError) else (error,):
        log("error", "error", {**each.as_dict(), "exit_code": exit_code})
