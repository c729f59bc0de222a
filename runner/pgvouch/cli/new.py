"""pgvouch new."""

import click

from pgvouch.cli import as_text
from pgvouch.cli.options import Context, common


@click.command()
@click.argument("name")
@click.option("--database", metavar="DB", help="Which folder, where there are several.")
@common
@click.pass_obj
def new(context: Context, name: str, database: str | None) -> None:
    """Write the files of a new migration, under the next number."""
    for path in context.folder(database).new(name):
        context.tell(as_text.shown_path(path), document={"file": str(path)})
