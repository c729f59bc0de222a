"""pgvouch baseline."""

from typing import TYPE_CHECKING, Any

import click

from pgvouch.cli import as_json, as_text, output
from pgvouch.cli.context import Context
from pgvouch.cli.drift import annotate, are_unpromised, differ, differences, unpromised
from pgvouch.cli.options import running
from pgvouch.cli.output import Line
from pgvouch.errors import DRIFT

if TYPE_CHECKING:
    from pgvouch.adopt.baseline import Baseline


@click.command()
@click.option("--to", metavar="ID", help="The last migration that is there.")
@click.option(
    "--accept-difference", "why", metavar="WHY", help="Record them although the two differ."
)
@click.option("--dry-run", is_flag=True, help="Compare; record nothing.")
@click.option("--database", metavar="DB", help="Which database, where there are several.")
@running
@click.pass_obj
def baseline(
    context: Context, to: str | None, why: str | None, dry_run: bool, database: str | None
) -> int:
    """Record migrations that the database already has as applied.

    A scratch database shows whether it does.
    """
    with context.database(database) as vouch, output.kept_for_data():
        found = vouch.baseline(to=to, why=why, dry_run=dry_run)
    if not (found.is_same or found.recorded):
        annotate(context, vouch, found.compared, strict=True)
    context.tell(
        *lines_of(vouch.name, found, verbose=context.verbose),
        document=document_of(vouch.name, found),
    )
    return 0 if found.is_same or found.recorded else DRIFT


def lines_of(name: str, found: "Baseline", *, verbose: bool) -> list[Line]:
    """Return what the migrations make beside what is there, for people."""
    compared, number = found.compared, len(found.ids)
    most = None if verbose else 40
    lines: list[Line] = [
        *differences(compared, is_applied=False),
        *unpromised(compared, most, is_applied=False),
    ]
    if found.is_same:
        made = f"{number} migration{'s' * (number != 1)}"
        lines.append(f"{name}: the database is what {made} make{'s' * (number == 1)}")
    else:
        said = [differ(len(compared.differing), is_applied=False)] if compared.differing else []
        if number_more := len(compared.unpromised):
            said.append(are_unpromised(number_more, is_applied=False))
        lines.append(f"{name}: {'; '.join(said)}")
    if found.recorded:
        lines.append(f"{name}: {found.recorded} recorded as applied; nothing was run")
    else:
        lines.append(f"{name}: nothing was recorded")
        if not found.is_same:
            lines.append(f"  next    {as_text.as_typed(_NEXT)}")
    return lines


def document_of(name: str, found: "Baseline") -> dict[str, Any]:
    """Return the same for --json."""
    return {
        **as_json.of_drift(name, found.compared),
        "migrations": list(found.ids),
        "provided": list(found.provided),
        "recorded": found.recorded,
    }


_NEXT = (
    "where the last migrations are not applied here: --to the last one that is; otherwise write "
    "what is missing into the files, or make the database so by hand; where the difference is "
    'meant to stay: --accept-difference "why"'
)
