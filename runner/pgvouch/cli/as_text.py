"""What people read: progress, the sentence at the end, errors."""

import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pgvouch.cli import output
from pgvouch.cli.output import Styled, say
from pgvouch.engine.commands import Outcome
from pgvouch.errors import MOST, Place, RefusedError, ServerMessage, VouchError
from pgvouch.events import (
    Doubted,
    Event,
    Finished,
    Note,
    Notice,
    Running,
    Scheduled,
    Started,
    Waiting,
)

if TYPE_CHECKING:
    from pgvouch.cli.live import Live

_MAX_NOTICES = 50
_NAMES = "migrate|rollback|status|plan|verify|drift|seed|stamp"
_TARGETS = f"pgvouch ({_NAMES})"
_TARGET = re.compile(rf"{_TARGETS}\b(?! -)")
_COMMAND = re.compile(
    rf"(?<![\w/.'-])pgvouch(?= (?:{_NAMES}|redo|history|current|help|accept|repair|wait|new|server|"
    r"entrypoint)\b)"
)
_TARGET_WITH_NAME = re.compile(rf"{_TARGETS} (\w+)(?=\Z|[;,)])")
_VARIABLES = {
    "--discard-data": "DISCARD=1",
    "--accept-difference": "ACCEPT=1",
    "--verbose": "VERBOSE=1",
}
_MARKS = {
    "provided": ("·", None),
    "left": ("·", None),
    "rolled back": ("↩", "yellow"),
    "restored": ("↩", "yellow"),
}
_PROVIDED = {"provided": "provided: the database has it already", "left": "provided: left as it is"}
_FACTS = 36
"""What stays free beside a name where the terminal is narrow: time, checks and some of a delta."""
_LEAST_NAME = 12
_MARGIN = len("  state   ")
_MAX_TEXT = 1000
_MAX_LINES = 8
_PLURALS = {
    "policy": "policies",
    "index": "indexes",
    "schema": "schemas",
    "rls": "rls",
    "rows": "rows",
}


def shown_path(path: Path) -> str:
    """Return a path as a person at this prompt would type it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def shown_place(place: Place) -> str:
    """Return file:line:column, relative to here."""
    return str(Place(Path(shown_path(place.path)), place.line, place.column))


class Progress:
    """Listens to a run and prints it to stderr, a line per migration."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.notices = 0
        self.noted: set[str] = set()
        self.waited: str | None = None
        self.live: Live | None = None
        """What is redrawn at the bottom of the terminal, where it can be."""
        self.width = 0
        """Of the names of what is to be run."""

    def __call__(self, event: Event) -> None:
        """Tell one event."""
        if self.quiet:
            return
        match event:
            case Finished():
                self._finished(event)
            case Notice():
                self._notice(event)
            case Waiting():
                self._waiting(event)
            case Note() if event.text not in self.noted:  # an attempt that gave way says it again
                self.noted.add(event.text)
                _say_wrapped("  ", _short(event.text))
            case Doubted():
                say_doubt(event.text, event.place)
            case Scheduled():
                self._scheduled(event.ids)
            case Running() if self.live:
                self.live.running(event)
            case Running() | Note() | Started():
                pass

    def _scheduled(self, ids: Sequence[str]) -> None:
        from pgvouch.cli.table import places

        shown = (places(output.as_shown(name, sys.stderr)) for name in ids)
        self.width = max(shown, default=0)
        if (room := output.width_of(sys.stderr)) is not None:
            self.width = min(self.width, max(room - _FACTS, _LEAST_NAME))
        if ids and output.redraws():
            from pgvouch.cli.live import Live

            self.live = Live(ids)

    def _waiting(self, event: Waiting) -> None:
        about = event.about or event.text
        if about != self.waited:
            self.waited = about
            limit = f"; waiting up to {event.remaining_s:.0f} s" if event.remaining_s else ""
            _say_wrapped("  … ", f"{_short(event.text)}{limit}")
        elif self.live:
            self.live.waiting(event.remaining_s)

    def _finished(self, event: Finished) -> None:
        from pgvouch.cli.table import cut, places

        if self.live:
            self.live.finished()
        mark, colour = _MARKS.get(event.outcome, ("✓", "green"))
        facts = [_PROVIDED.get(event.outcome) or f"{event.duration_ms:6.0f} ms"]
        if event.checks:
            facts.append(f"{event.checks} check{'s' * (event.checks != 1)}")
        name = cut(output.as_shown(event.id, sys.stderr), self.width, _dots())
        filled = " " * (self.width - places(name))
        line = f"{name}{filled}  {'  '.join(facts)}"
        if event.outcome in _PROVIDED and not _has_room(line):
            line = f"{name}{filled}  provided"
        told = _with_delta(line, event)
        say("  ", Styled(mark, colour), " ", told, err=True)
        for line in (*event.notes, *(event.delta or () if self.verbose else ())):
            say("      ", line, err=True)

    def _notice(self, event: Notice) -> None:
        if event.severity == "NOTICE" and not self.verbose:
            return
        self.notices += 1
        if self.notices <= _MAX_NOTICES:
            say("      ", event.severity, ": ", _short(event.text), err=True)
        elif self.notices == _MAX_NOTICES + 1:
            say("      … more notices are not shown", err=True)


def say_doubt(text: str, place: Place | None) -> None:
    """Print a warning about a file."""
    where = f" ({shown_place(place)})" if place else ""
    say(Styled("warning:", "yellow", bold=True), " ", _short(text), where, err=True)


def _has_room(line: str) -> bool:
    from pgvouch.cli.table import places

    room = output.width_of(sys.stderr)
    return room is None or places(line) <= room - len("  ✓ ")


def _with_delta(line: str, event: Finished) -> str:
    """Return a line of progress and, in a few words, what was done to the catalog.

    What the terminal has no room for is left out; `--verbose` shows all of a delta.
    """
    from pgvouch.cli.table import cut_end, places

    told = delta_summary([event])
    room = output.width_of(sys.stderr)
    if room is None:
        return f"{line}  {told}".rstrip()
    dots = f" {_dots()}"
    line = cut_end(output.as_shown(line, sys.stderr), room - len("  ✓ "), _dots())
    left = room - len("  ✓ ") - places(line) - len("  ")
    while told and places(told) > left:
        told = told.removesuffix(dots).rpartition(",")[0]
        told = f"{told}{dots}" if told else ""
    return f"{line}  {told}".rstrip()


def _dots() -> str:
    return output.as_shown("…", sys.stderr)


def delta_summary(events: Sequence[Finished]) -> str:
    """Return what migrations did to the catalog in a few words: `+1 table, +10 columns`."""
    counts: Counter[tuple[str, str]] = Counter()
    for event in events:
        for line in event.delta or ():
            sign, kind, *_ = line.split(" ", 2)
            counts[sign, kind] += 1
    return ", ".join(
        f"{sign}{count} {kind if count == 1 else _PLURALS.get(kind, kind + 's')}"
        for (sign, kind), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def migrated(name: str, outcome: Outcome, *, verb: str = "applied") -> str:
    """Return the sentence that ends a migrate."""
    if not outcome.finished:
        return f"{name}: nothing to do ({outcome.applied} applied{_and_provided(outcome.provided)})"
    ran = [event for event in outcome.finished if event.outcome == "applied"]
    provided = sum(event.outcome == "provided" for event in outcome.finished)
    checks = sum(event.checks for event in ran)
    seconds = sum(event.duration_ms for event in outcome.finished) / 1000
    said = f"{len(ran)} {verb}{_and_provided(provided)}"
    passed = f"{checks} check{'s' * (checks != 1)} passed"
    return f"{name}: {said}, {passed} in {seconds:.2f} s"


def rolled_back(name: str, outcome: Outcome) -> str:
    """Return the sentence that ends a rollback."""
    if not outcome.finished:
        return f"{name}: nothing to roll back"
    back = sum(event.outcome == "rolled back" for event in outcome.finished)
    left = _and_provided(sum(event.outcome == "left" for event in outcome.finished))
    return f"{name}: {back} rolled back{left}, {outcome.applied} still applied"


def redone(name: str, outcome: Outcome) -> str:
    """Return the sentence that ends a redo."""
    if not outcome.finished:
        return f"{name}: nothing to do again"
    ran = [e for e in outcome.finished if e.outcome in {"applied", "provided"}]
    checks = sum(event.checks for event in ran)
    names = ", ".join(event.id for event in ran)
    passed = f"{checks} check{'s' * (checks != 1)} passed"
    return f"{name}: {names} rolled back and applied again, {passed}"


def _and_provided(count: int) -> str:
    return f", {count} provided" if count else ""


def _short(text: str) -> str:
    """Cut a text, which an author's SQL may have made a megabyte long."""
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]} … ({len(text):,} characters)"


def print_error(error: VouchError) -> None:
    """Print an error as a tired person reads it: what, where, what PostgreSQL said, what now."""
    if isinstance(error, RefusedError):
        for each in error.errors[:MOST]:
            print_error(each)
        if (more := len(error.errors) - MOST) > 0:
            say(f"and {more:,} more errors in the files: correct these first", err=True)
        return
    _say_wrapped(Styled("error: ", "red", bold=True), _short(error.message))
    if error.place:
        _say_labelled("at", shown_place(error.place))
    for line in (error.statement or "").splitlines()[:_MAX_LINES]:
        say("        | ", _short(line).replace("\t", "    "), err=True)
    if error.server and error.server.sqlstate:
        _print_server(error, error.server)
    for note in error.notes:
        _say_wrapped(" " * _MARGIN, _short(note))
    if error.state:
        _say_wrapped("  state   ", _short(error.state))
    if error.hint:
        _say_labelled("next", as_typed(error.hint))


def as_typed(hint: str) -> str:
    """Return a hint in the words of what was started: pgvouch, or this project's make."""
    if os.environ.get("PGVOUCH_HINTS") != "make":
        return hint
    for option, variable in _VARIABLES.items():
        hint = hint.replace(option, variable)
    hint = _TARGET_WITH_NAME.sub(r"make \1 DB=\2", hint)
    hint = _TARGET.sub(r"make \1", hint)
    return _COMMAND.sub(".venv/bin/pgvouch", hint)


def _print_server(error: VouchError, server: ServerMessage) -> None:
    """Print what PostgreSQL said, unless the headline or a note has said it already."""
    is_told = any(server.primary in text for text in (error.message, *error.notes))
    shown = "" if is_told else f": {server.primary}"
    _say_labelled("server", f"{server.sqlstate}{shown}")
    for label in ("detail", "hint", "context"):
        if value := getattr(server, label):
            _say_labelled(label, *value.splitlines())


def _say_wrapped(label: str | Styled, text: str) -> None:
    """Print prose behind a label, on a terminal in lines that begin at the same place.

    What holds a command is not printed so: it is copied, and has to stay whole.
    """
    from pgvouch.cli.table import wrapped

    width = output.width_of(sys.stderr)
    margin = len(label.text if isinstance(label, Styled) else label)
    room = max(width - margin, _LEAST_NAME) if width else None
    for number, line in enumerate(wrapped(output.as_shown(text, sys.stderr), room)):
        say(" " * margin if number else label, line, err=True)


def _say_labelled(label: str, *lines: str) -> None:
    shown = lines[:_MAX_LINES]
    if len(lines) > _MAX_LINES:
        shown = (*shown, f"… {len(lines) - _MAX_LINES} more lines")
    for number, line in enumerate(shown):
        say(f"  {'' if number else label:<7} ", _short(line), err=True)


def forget_urls(error: VouchError, arguments: Sequence[str]) -> None:
    """Take out of an error what stands on the command line and may hold a password."""
    error.message = _without_urls(error.message, arguments)
    error.notes = [_without_urls(note, arguments) for note in error.notes]
    error.hint = error.hint and _without_urls(error.hint, arguments)


def _without_urls(text: str, own: Sequence[str]) -> str:
    if any("://" in argument or "=" in argument for argument in own):
        from pgvouch.address.conninfo import looks_like_one

        for argument in own:
            value = argument.partition("=")[2] if argument.startswith("-") else ""
            for said in filter(looks_like_one, (argument, value)):
                text = text.replace(repr(said), "…").replace(said, "…")
    return text
