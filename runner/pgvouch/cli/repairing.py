"""The command that settles a non-transactional migration of which nobody knows how it ended."""

import click

from pgvouch.cli import render
from pgvouch.cli.main import Context, running
from pgvouch.cli.running import listen, options_of
from pgvouch.errors import UsageError
from pgvouch.ledger.rows import State


@click.command()
@click.argument("migration", metavar="ID")
@click.option("--done", "how", flag_value="done", help="The statement under way is done.")
@click.option("--redo", "how", flag_value="redo", help="It is not: the next migrate runs it.")
@click.option("--undo", "how", flag_value="undo", help="Take all of it back, by its rollback.")
@click.option("--discard-data", is_flag=True, help="With --undo: rows may be lost.")
@click.option("--database", metavar="DB", help="Which database, where there are several.")
@running
@click.pass_obj
def repair(
    context: Context, migration: str, how: str | None, discard_data: bool, database: str | None
) -> None:
    """Settle a non-transactional migration of which nobody can know how a statement ended."""
    from pgvouch.engine.repair import How
    from pgvouch.engine.repair import repair as settle

    if how is None:
        raise UsageError("say what you have found out: --done, --redo or --undo")
    chosen = context.databases((database,) if database else ())
    if len(chosen) > 1:
        raise UsageError("which database?", hint=f"--database {chosen[0].name} (or another one)")
    options = options_of(context, discard_data=discard_data)
    with context.session(chosen[0], "repair") as session:
        listener = listen(session, context.progress())
        row, finished = settle(session, chosen[0], migration, How(how), options, listener)
    way_on = "pgvouch rollback" if row.state is State.UNDOING else "pgvouch migrate"
    said = {
        "done": f"the statement counts as done; {way_on} goes on with the next one",
        "redo": f"the statement will be run again by {way_on}",
        "undo": "taken back",
    }[how]
    context.tell(
        f"{row.id}: {said}",
        document={
            "database": chosen[0].name,
            "id": row.id,
            "how": how,
            "migrations": [render.finished_as_dict(event) for event in finished],
        },
    )
