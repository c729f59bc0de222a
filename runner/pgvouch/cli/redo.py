"""pgvouch redo."""

import click

from pgvouch.cli import as_json, as_text, output
from pgvouch.cli.context import Context, refuse_several
from pgvouch.cli.options import running


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--discard-data", is_flag=True, help="Rows may be lost with the rollback.")
@click.option(
    "--accept-difference",
    is_flag=True,
    help="The rollback may undo something else than the migration did.",
)
@click.option("--from-files", is_flag=True, help="Use the rollback file, not what the ledger has.")
@running
@click.pass_obj
def redo(
    context: Context,
    databases: tuple[str, ...],
    discard_data: bool,
    accept_difference: bool,
    from_files: bool,
) -> None:
    """Roll back the newest migration and apply its file again.

    Both in one transaction, with the promises of both.
    Where the project has several databases, name the ones you mean.
    """
    chosen = context.databases(databases)
    refuse_several("redo", databases, chosen)
    for vouch in chosen:
        with vouch, output.kept_for_data():
            outcome = vouch.redo(
                discard_data=discard_data,
                accept_difference=accept_difference,
                from_files=from_files,
            )
        context.tell(
            as_text.redone(vouch.name, outcome), document=as_json.of_outcome(vouch.name, outcome)
        )
