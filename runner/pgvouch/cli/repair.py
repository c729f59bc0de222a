"""pgvouch repair."""

from typing import Literal

import click

from pgvouch.cli import as_json, output
from pgvouch.cli.context import Context
from pgvouch.cli.options import running
from pgvouch.errors import UsageError
from pgvouch.ledger.rows import State


@click.command()
@click.argument("migration", metavar="ID")
@click.option("--done", "how", flag_value="done", help="The statement under way is done.")
@click.option("--redo", "how", flag_value="redo", help="It is not: the next migrate runs it.")
@click.option("--undo", "how", flag_value="undo", help="Roll all of it back.")
@click.option("--discard-data", is_flag=True, help="With --undo: rows may be lost.")
@click.option("--database", metavar="DB", help="Which database, where there are several.")
@running
@click.pass_obj
def repair(
    context: Context,
    migration: str,
    how: Literal["done", "redo", "undo"] | None,
    discard_data: bool,
    database: str | None,
) -> None:
    """Settle a non-transactional migration that was cut off.

    For a statement of which it is not known whether it was done.
    """
    if how is None:
        raise UsageError("say what you have found out: --done, --redo or --undo")
    with context.database(database) as vouch, output.kept_for_data():
        repaired = vouch.repair(migration, how, discard_data=discard_data)
    next_command = "rollback" if repaired.state is State.UNDOING else "migrate"
    said = {
        "done": f"the statement counts as done; pgvouch {next_command} goes on with the next one",
        "redo": f"the statement will be run again by pgvouch {next_command}",
        "undo": "rolled back",
    }[how]
    context.tell(f"{repaired.id}: {said}", document=as_json.of_repaired(vouch.name, how, repaired))
