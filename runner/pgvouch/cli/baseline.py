"""pgvouch baseline."""

import click

from pgvouch.cli import as_json, as_text, output
from pgvouch.cli.drift import are_unpromised, differ, differences, unpromised
from pgvouch.cli.options import Context, running
from pgvouch.cli.output import Line
from pgvouch.errors import DRIFT


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
    """Record migrations as applied, where the database is what they make."""
    with context.database(database) as vouch, output.kept_for_data():
        found = vouch.baseline(to=to, why=why, dry_run=dry_run)
    compared, number = found.compared, len(found.ids)
    lines: list[Line] = [*differences(compared)]
    lines += unpromised(compared, None if context.verbose else 40)
    made = f"{number} migration{'s' * (number != 1)}"
    if found.is_same:
        lines.append(f"{vouch.name}: the database is what {made} make{'s' * (number == 1)}")
    else:
        said = [differ(len(compared.differing))] if compared.differing else []
        said += [are_unpromised(len(compared.unpromised))] if compared.unpromised else []
        lines.append(f"{vouch.name}: {'; '.join(said)}")
    if found.recorded:
        lines.append(f"{vouch.name}: {found.recorded} recorded as applied; nothing was run")
    else:
        lines.append(f"{vouch.name}: nothing was recorded")
        if not found.is_same:
            lines.append(f"  next    {as_text.as_typed(_NEXT)}")
    document = {
        **as_json.of_drift(vouch.name, compared),
        "migrations": list(found.ids),
        "provided": list(found.provided),
        "recorded": found.recorded,
    }
    context.tell(*lines, document=document)
    return 0 if found.is_same or found.recorded else DRIFT


_NEXT = (
    "write what is missing into the files, or make the database so by hand; where the difference "
    'is meant to stay: pgvouch baseline --accept-difference "why"'
)
