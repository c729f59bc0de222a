"""pgvouch accept."""

import click

from pgvouch.cli.context import Context
from pgvouch.cli.options import common


@click.command()
@click.argument("migration", metavar="ID")
@click.option("--why", required=True, metavar="TEXT", help="Why the change is harmless.")
@click.option("--database", metavar="DB", help="Which database, where there are several.")
@common
@click.pass_obj
def accept(context: Context, migration: str, why: str, database: str | None) -> None:
    """Record that a change to an applied file is harmless, and why."""
    with context.database(database) as vouch:
        row = vouch.accept(migration, why)
    context.tell(
        f"{row.id}: the change is accepted", document={"database": vouch.name, "accepted": row.id}
    )
