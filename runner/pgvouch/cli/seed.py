"""pgvouch seed."""

import click

from pgvouch.cli.context import Context
from pgvouch.cli.options import running


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@running
@click.pass_obj
def seed(context: Context, databases: tuple[str, ...]) -> None:
    """Load development data from seed/NAME.sql, in one transaction."""
    for vouch in context.databases(databases):
        with vouch:
            vouch.seed()
        context.tell(f"{vouch.name}: seeded", document={"database": vouch.name, "seeded": True})
