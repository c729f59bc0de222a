"""pgvouch migrate."""

import click

from pgvouch.api.vouch import Vouch
from pgvouch.cli import as_json, as_text, output
from pgvouch.cli.context import Context
from pgvouch.cli.dump import after_change
from pgvouch.cli.options import running


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--to", metavar="ID", help="Stop after this migration (identifier or number).")
@click.option("--dry-run", is_flag=True, help="Print the SQL that would run, in order.")
@click.option("--rehearse", is_flag=True, help="Run all of it and every rollback, keep nothing.")
@click.option("--single-transaction", is_flag=True, help="All or nothing.")
@click.option("--out-of-order", is_flag=True, help="Allow a number below the newest applied one.")
@click.option("--dump", is_flag=True, help="Write the schema into its file, if it has changed.")
@running
@click.pass_obj
def migrate(
    context: Context,
    databases: tuple[str, ...],
    to: str | None,
    dry_run: bool,
    rehearse: bool,
    single_transaction: bool,
    out_of_order: bool,
    dump: bool,
) -> None:
    """Apply pending migrations, each with its promises checked.

    Migration, checks and ledger row are one transaction: what breaks a promise does not land.
    """
    for vouch in context.databases(databases):
        with vouch:
            if dry_run:
                _show_sql(context, vouch, to, out_of_order)
                continue
            with output.kept_for_data():
                outcome = (
                    vouch.rehearse(to=to)
                    if rehearse
                    else vouch.migrate(
                        to=to, single_transaction=single_transaction, out_of_order=out_of_order
                    )
                )
            if dump and not rehearse and outcome.finished:
                after_change(context, vouch, done="The migrations are applied")
        verb = "rehearsed" if rehearse else "applied"
        context.tell(
            as_text.migrated(vouch.name, outcome, verb=verb),
            document=as_json.of_outcome(vouch.name, outcome),
        )


def _show_sql(context: Context, vouch: Vouch, to: str | None, out_of_order: bool) -> None:
    plan = vouch.plan(to=to, out_of_order=out_of_order)
    parts = [f"-- {vouch.name}: {len(plan.pending) or 'nothing'} to do"]
    for item in plan.pending:
        condition = f"\n-- only unless: {item.unless}" if item.unless else ""
        sql = item.sql.strip("\r\n").rstrip()
        parts.append(f"-- {item.id}{condition}\n{sql}\n")
    context.tell_text(parts, document=as_json.of_pending_sql(vouch.name, plan))
