"""The only formatter: events, results and errors as text or as one JSON document."""

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import click

from pgvouch.api import Outcome
from pgvouch.errors import Place, UsageError, VouchError
from pgvouch.events import Event, Finished, Note, Notice, Started, Waiting

_MAX_NOTICES = 50
_MAX_TEXT = 1000
_PLURALS = {"policy": "policies", "index": "indexes", "schema": "schemas", "rls": "rls"}


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
    """Listens to a run and tells it on stderr, a line per migration."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.notices = 0
        self.waited: str | None = None

    def __call__(self, event: Event) -> None:
        """Tell one event."""
        if self.quiet:
            return
        match event:
            case Finished():
                self._finished(event)
            case Notice():
                self._notice(event)
            case Waiting() if event.text != self.waited:
                self.waited = event.text
                limit = f"; waiting up to {event.remaining_s:.0f} s" if event.remaining_s else ""
                _say(f"  … {event.text}{limit}")
            case Note():
                _say(f"  {event.text}")
            case Started() | Waiting():
                pass

    def _finished(self, event: Finished) -> None:
        mark = {"provided": "·", "rolled back": "↩"}.get(event.outcome, "✓")
        colour = {"provided": "bright_black", "rolled back": "yellow"}.get(event.outcome, "green")
        facts = [f"{event.duration_ms:6.0f} ms"]
        if event.outcome == "provided":
            facts = ["provided: the database has it already"]
        if event.checks:
            facts.append(f"{event.checks} check{'s' * (event.checks != 1)}")
        if event.delta:
            facts.append(delta_summary([event]))
        told = _fitting(f"{event.id:<36} {'  '.join(facts)}")
        _say(f"  {click.style(mark, fg=colour)} {told}")
        for note in event.notes:
            _say(f"      {note}")
        if self.verbose:
            for line in event.delta or ():
                _say(f"      {line}")

    def _notice(self, event: Notice) -> None:
        if event.severity == "NOTICE" and not self.verbose:
            return
        self.notices += 1
        if self.notices <= _MAX_NOTICES:
            _say(f"      {event.severity}: {_short(event.text)}")
        elif self.notices == _MAX_NOTICES + 1:
            _say("      … more notices are not shown")


def _fitting(text: str) -> str:
    """Cut a line of progress to the width of the terminal; `--verbose` shows all of a delta."""
    if not sys.stderr.isatty():
        return text
    width = shutil.get_terminal_size().columns - len("  ✓ ")
    if len(text) <= width:
        return text
    return f"{text[: width - 2].rpartition(',')[0] or text[: width - 2]} …"


def _say(line: str) -> None:
    click.echo(line, err=True)


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
        return f"{name}: nothing to do ({outcome.applied} applied)"
    ran = [event for event in outcome.finished if event.outcome == "applied"]
    provided = len(outcome.finished) - len(ran)
    checks = sum(event.checks for event in ran)
    seconds = sum(event.duration_ms for event in outcome.finished) / 1000
    parts = [f"{len(ran)} {verb}"]
    if provided and verb == "applied":
        parts.append(f"{provided} provided")
    parts.append(f"{checks} checks passed")
    return f"{name}: {', '.join(parts)} in {seconds:.2f} s"


def rolled_back(name: str, outcome: Outcome) -> str:
    """Return the sentence that ends a rollback."""
    if not outcome.finished:
        return f"{name}: nothing to roll back"
    return f"{name}: {len(outcome.finished)} rolled back, {outcome.applied} still applied"


def _short(text: str) -> str:
    """Cut what somebody's SQL may have made a megabyte long; control characters become visible."""
    shown = text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]} … ({len(text):,} characters)"
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in shown)


def error_text(error: VouchError) -> str:
    """Return an error as a tired person reads it: what, where, what PostgreSQL said, what now."""
    lines = [f"{click.style('error:', fg='red', bold=True)} {_short(error.message)}"]
    if error.place:
        lines.append(f"  at      {shown_place(error.place)}")
    if error.statement:
        lines += [f"        | {_short(line)}" for line in error.statement.splitlines()[:8]]
    if error.server and error.server.sqlstate:
        lines.append(f"  server  {error.server.sqlstate}: {_short(error.server.primary)}")
        for label, value in (
            ("detail", error.server.detail),
            ("hint", error.server.hint),
            ("context", error.server.context),
        ):
            if value:
                lines.append(f"  {label:<7} {_short(value.splitlines()[0])}")
    lines += [f"          {note}" for note in error.notes]
    if error.state:
        lines.append(f"  state   {error.state}")
    if error.hint:
        lines.append(f"  next    {error.hint}")
    return "\n".join(lines)


def finished_as_dict(event: Finished) -> dict[str, Any]:
    """Return an event for the JSON document."""
    return {
        "id": event.id,
        "outcome": event.outcome,
        "duration_ms": round(event.duration_ms, 3),
        "checks": event.checks,
        "delta": list(event.delta) if event.delta is not None else None,
    }


def print_json(document: dict[str, Any]) -> None:
    """Print the one JSON document of a run."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def refuse_arguments(exc: click.ClickException, own: Sequence[str], *, as_json: bool) -> None:
    """Tell what is wrong with the command line; a URL at the wrong place is not repeated."""
    if as_json:
        said = _without_urls(exc.format_message(), own)
        print_json({"error": UsageError(said).as_dict()})
        return
    shown = StringIO()
    exc.show(shown)
    click.echo(_without_urls(shown.getvalue(), own), err=True, nl=False)


def _without_urls(text: str, own: Sequence[str]) -> str:
    if any("://" in argument or "=" in argument for argument in own):
        from pgvouch.address import looks_like_one

        for argument in own:
            value = argument.partition("=")[2] if argument.startswith("-") else argument
            if looks_like_one(value):
                text = text.replace(repr(value), "…").replace(value, "…")
    return text


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str]
) -> None:
    """Print a table to stdout; styles are rich's, a column each."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, style in zip(columns, styles, strict=True):
        table.add_column(column, style=style, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 200
    Console(width=width, no_color=bool(os.environ.get("NO_COLOR")) or None).print(table)
