"""pgvouch history."""

import click

from pgvouch.cli import as_json, output, table
from pgvouch.cli.context import Context
from pgvouch.cli.options import common
from pgvouch.cli.table import Column

_HISTORY = (
    Column("when", is_dim=True, give_up=1),
    Column("migration", shortens=True),
    Column("what"),
    Column("by", is_dim=True, give_up=2),
    Column("role", is_dim=True, give_up=3),
    Column("why", is_dim=True, give_up=4),
)


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@common
@click.pass_obj
def history(context: Context, databases: tuple[str, ...]) -> None:
    """Show what was applied and rolled back, when and by whom.

    The oldest comes first.
    """
    for vouch in context.databases(databases):
        with vouch:
            entries = vouch.history()
        if context.as_json:
            context.tell(document=as_json.of_history(vouch.name, entries))
            continue
        output.say(output.Styled(vouch.name, bold=True))
        table.echo(
            _HISTORY,
            [
                (
                    f"{entry.at:%Y-%m-%d %H:%M:%S}Z",
                    entry.id,
                    entry.what,
                    "@".join(filter(None, (entry.by, entry.host))),
                    entry.role or "",
                    entry.why or "",
                )
                for entry in entries
            ],
        )
