"""pgvouch rollback."""

import click

from pgvouch.api.vouch import Vouch
from pgvouch.cli import as_json, as_text, output
from pgvouch.cli.context import Context, refuse_several
from pgvouch.cli.dump import after_change
from pgvouch.cli.options import running
from pgvouch.errors import UsageError


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="How many; one by default.")
@click.option("--to", metavar="ID", help="Keep this one and roll back everything after it.")
@click.option("--all", "everything", is_flag=True, help="Roll back everything.")
@click.option("--discard-data", is_flag=True, help="Rows may be lost with it.")
@click.option(
    "--accept-difference", is_flag=True, help="It may undo something else than the migration did."
)
@click.option("--from-files", is_flag=True, help="Use the files, not what the ledger has stored.")
@click.option("--dry-run", is_flag=True, help="Show the SQL and the rows it would lose.")
@click.option("--dump", is_flag=True, help="Write the schema into its file, if it has changed.")
@running
@click.pass_obj
def rollback(
    context: Context,
    databases: tuple[str, ...],
    steps: int | None,
    to: str | None,
    everything: bool,
    discard_data: bool,
    accept_difference: bool,
    from_files: bool,
    dry_run: bool,
    dump: bool,
) -> None:
    """Roll back the newest migration, or several.

    Where the project has several databases, name the ones you mean.
    """
    if sum((steps is not None, to is not None, everything)) > 1:
        raise UsageError("--steps, --to and --all exclude each other")
    if to is None and steps is None and not everything:
        steps = 1
    chosen = context.databases(databases)
    refuse_several("rollback", databases, chosen)
    for vouch in chosen:
        with vouch:
            if dry_run:
                _show_sql(context, vouch, steps, to, from_files)
                continue
            with output.kept_for_data():
                outcome = vouch.rollback(
                    steps=steps,
                    to=to,
                    discard_data=discard_data,
                    accept_difference=accept_difference,
                    from_files=from_files,
                )
            if dump and outcome.finished:
                after_change(context, vouch, done="The migrations are rolled back")
        context.tell(
            as_text.rolled_back(vouch.name, outcome),
            document=as_json.of_outcome(vouch.name, outcome),
        )


def _show_sql(
    context: Context, vouch: Vouch, steps: int | None, to: str | None, from_files: bool
) -> None:
    found = vouch.preview_rollback(steps=steps, to=to, from_files=from_files)
    parts = [f"-- {vouch.name}: {len(found) or 'nothing'} to roll back"]
    for step in found:
        notes = [f"-- {note}" for note in step.notes]
        parts.append("\n".join([f"-- {step.id}", *notes, step.sql.strip("\r\n").rstrip(), ""]))
    context.tell_text(parts, document=as_json.of_rollback_steps(vouch.name, found))
