"""pgvouch current."""

import click

from pgvouch.cli import as_json, output
from pgvouch.cli.context import Context
from pgvouch.cli.options import common


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@common
@click.pass_obj
def current(context: Context, databases: tuple[str, ...]) -> None:
    """Print the newest applied migration.

    Where the project has several databases: a line for each, its name, a tab and the migration.
    """
    chosen = context.databases(databases)
    for vouch in chosen:
        with vouch:
            row = vouch.current()
        if context.as_json:
            context.tell(document=as_json.of_current(vouch.name, row))
        elif len(chosen) > 1:
            output.say_text(f"{output.visible(vouch.name)}\t{row.id if row else ''}")
        elif row:
            output.say(row.id)
        else:
            output.say(f"{vouch.name}: nothing is applied", err=True)
