"""pgvouch status."""

import re
from collections.abc import Sequence

import click

from pgvouch.cli import as_json, output, table
from pgvouch.cli.context import Context
from pgvouch.cli.options import common
from pgvouch.cli.table import Column
from pgvouch.errors import DRIFT, PENDING, Place
from pgvouch.plan.status import MigrationStatus

_UNDONE = {"pending", "incomplete", "undoing"}
_SECONDS = re.compile(r":\d\d(?=Z)")
_MARKS = {
    "applied": "✓", "provided": "·", "pending": "○", "incomplete": "!", "undoing": "«",
    "changed": "≠", "missing": "?", "ahead": "»",
}  # fmt: skip
_COLOURS = {"✓": "green", "○": "yellow"} | dict.fromkeys("!«≠?", "red")
_COLOURS |= {output.simple(mark): colour for mark, colour in _COLOURS.items()}
_STATUS = (
    Column("", colours=_COLOURS),
    Column("migration", shortens=True),
    Column("state"),
    Column("applied", is_dim=True, give_up=1, brief=lambda at: _SECONDS.sub("", at), brief_at=5),
    Column("by", is_dim=True, give_up=6),
    Column("ms", is_dim=True, give_up=7),
    Column("checks", is_dim=True, give_up=2),
)


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--exit-code", is_flag=True, help="Exit with 3 where something is pending.")
@common
@click.pass_obj
def status(context: Context, databases: tuple[str, ...], exit_code: bool) -> int:
    """Show every migration and its state."""
    worst = 0
    for vouch in context.databases(databases):
        with vouch:
            rows = vouch.status()
        found = {row.state for row in rows}
        if found & {"changed", "missing"}:
            worst = DRIFT
        elif found & _UNDONE and exit_code:
            worst = max(worst, PENDING)
        _annotate(context, rows, pending=exit_code)
        if context.as_json:
            context.tell(document=as_json.of_status(vouch.name, rows))
        else:
            _print(vouch.name, rows)
    return worst


def _annotate(context: Context, rows: Sequence[MigrationStatus], *, pending: bool) -> None:
    """Give to those who show it beside the code what the exit code is about."""
    for row in rows:
        place = Place(row.migration.path) if row.migration else None
        if row.state in {"changed", "missing"}:
            said = "its file has changed since" if row.state == "changed" else "its file is gone"
            context.annotate("error", "drift", f"{row.id} was applied, and {said}", place=place)
        elif pending and row.state in _UNDONE:
            context.annotate("warning", "pending", f"{row.id} is {row.state}", place=place)


def _print(name: str, rows: Sequence[MigrationStatus]) -> None:
    output.say(output.Styled(name, bold=True))
    table.echo(
        _STATUS,
        [
            (
                _MARKS[row.state],
                row.id,
                row.state,
                f"{at:%Y-%m-%d %H:%M:%S}Z"
                if (at := row.applied and row.applied.applied_at)
                else "",
                (row.applied and row.applied.applied_by) or "",
                f"{ms:.0f}" if row.applied and (ms := row.applied.duration_ms) is not None else "",
                str((row.applied and row.applied.checks) or ""),
            )
            for row in rows
        ],
    )
