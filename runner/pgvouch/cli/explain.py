"""pgvouch explain."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from pgvouch.cli import as_json, as_text, output
from pgvouch.cli.context import Context
from pgvouch.cli.options import common
from pgvouch.cli.output import Line, Styled
from pgvouch.cli.table import wrapped

if TYPE_CHECKING:
    from pgvouch.operations.explain import Explanation
    from pgvouch.operations.history import HistoryEntry

_MARGIN = len("  promises  ")
_NARROW = 20
_MOST = 40
"""Lines of a delta that are shown."""
_STATES = {
    "changed": "applied, and its file has changed since",
    "missing": "applied, and its file is gone",
    "ahead": "applied by a newer release, which has the file",
    "incomplete": "stopped halfway",
    "undoing": "its rollback stopped halfway",
    "provided": "provided: the database had it already",
}


@click.command()
@click.argument("migration", metavar="ID")
@click.option("--database", metavar="DB", help="Which database, where there are several.")
@common
@click.pass_obj
def explain(context: Context, migration: str, database: str | None) -> None:
    """Show one migration: what it does, what it promises, its state.

    With its rollback and its history. Works without a server; the state is then not known.
    """
    with context.newcomer(database) as vouch:
        found = vouch.explain(migration)
    context.tell(*_lines(found), document=as_json.of_explanation(database, found))


def _lines(found: "Explanation") -> Iterator[Line]:
    yield (Styled(found.id, bold=True),)
    where = as_text.shown_path(found.path) if found.path else "none here"
    why = f": {found.rollback_why}" if found.rollback_why else ""
    yield from _labelled("file", [where])
    yield from _labelled("state", [_state(found)])
    yield from _labelled("runs", found.header)
    yield from _labelled("promises", [*map(str, found.promises)] or ["none"])
    delta = list(found.delta or ())
    if (more := len(delta) - _MOST) > 0:
        delta[_MOST:] = [f"… and {more:,} more: --json has all of them"]
    delta = delta or ["not written down" if found.delta is None else "nothing"]
    yield from _labelled("delta", delta)
    locks = [f"{lock}, ahead of everything else" for lock in found.locks]
    yield from _labelled("locks", locks)
    yield from _labelled("rollback", [f"{found.rollback}{why}"])
    yield from _labelled("history", [_entry(entry) for entry in found.history])


def _labelled(label: str, lines: Sequence[str]) -> Iterator[Line]:
    width = output.width_of(sys.stdout)
    room = max(width - _MARGIN, _NARROW) if width else None
    for number, line in enumerate(lines):
        shown = output.as_shown(line, sys.stdout)
        first, *more = wrapped(shown, room)
        yield ("  ", Styled(f"{'' if number else label:<8}", dim=True), f"  {first}")
        yield from (f"{' ' * _MARGIN}{rest}" for rest in more)


def _state(found: "Explanation") -> str:
    row = found.applied
    told = _STATES.get(found.state, found.state)
    if found.state_why:
        return f"{told}: {found.state_why}"
    if row and row.applied_at:
        told += f"; {row.applied_at:%Y-%m-%d %H:%M:%S}Z"
        told += f" by {row.applied_by}" if row.applied_by else ""
        told += f" in {row.duration_ms:.0f} ms" if row.duration_ms is not None else ""
        told += f", {row.checks} check{'s' * (row.checks != 1)} passed" if row.checks else ""
    if row and row.statements_done is not None:
        told += f"; {row.statements_done} of its statements are done"
    return told


def _entry(entry: "HistoryEntry") -> str:
    told = f"{entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.what}"
    told += f" by {by}" if (by := entry.by or entry.role) else ""
    told += f" on {entry.host}" if entry.host else ""
    return f"{told}: {entry.why}" if entry.why else told
