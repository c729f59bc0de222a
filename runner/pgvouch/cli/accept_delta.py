"""pgvouch accept-delta."""

import click

from pgvouch.cli import as_text, output
from pgvouch.cli.context import Context
from pgvouch.cli.options import running
from pgvouch.config.project import which_database


@click.command(name="accept-delta")
@click.argument("migration", required=False, metavar="[ID]")
@click.option("--database", metavar="DB", help="Which database, where there are several.")
@running
@click.pass_obj
def accept_delta(context: Context, migration: str | None, database: str | None) -> None:
    """Write verify/ID.delta from a scratch database, for review.

    Without an ID: those of all migrations.
    """
    chosen = context.databases((database,) if database else ())
    if migration is not None and len(chosen) > 1:
        raise which_database([vouch.name for vouch in chosen])
    for vouch in chosen:
        with output.kept_for_data():
            written = vouch.accept_delta(migration)
        for file in written:
            word = "written" if file.changed else "unchanged"
            lines = f"{file.lines} line{'s' * (file.lines != 1)}"
            context.tell(
                f"{word:<9} {as_text.shown_path(file.path)} ({lines})",
                document={"file": str(file.path), "changed": file.changed, "lines": file.lines},
            )
