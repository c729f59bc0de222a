"""pgvouch lint."""

import click

from pgvouch.cli import as_json
from pgvouch.cli.context import Context
from pgvouch.cli.options import common


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@common
@click.pass_obj
def lint(context: Context, databases: tuple[str, ...]) -> None:
    """Check files for what a run would refuse, without a server."""
    for name in context.folder(None).stamped_folders(databases):
        if name.startswith("_"):
            continue  # a platform set is read with the databases that require it
        found = context.folder(name).lint()
        for warning in found.warnings:
            context.doubt(warning.message, warning.place)
        migrations = f"{found.migrations} migration{'s' * (found.migrations != 1)}"
        checks = f"{found.checks} check{'s' * (found.checks != 1)}"
        context.tell(
            f"{found.name}: {migrations} and {checks} can be read",
            document=as_json.of_linted(found),
        )
