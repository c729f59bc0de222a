"""pgvouch plan."""

import click

from pgvouch.api.values import Plan, Planned
from pgvouch.cli import as_json, output, table
from pgvouch.cli.context import Context
from pgvouch.cli.options import running
from pgvouch.cli.table import Column
from pgvouch.files.directives import ISOLATION

_STEPWISE = "statement by statement"
_BRIEFLY = {_STEPWISE: "no transaction"}
_PLAN = (
    Column("migration", shortens=True),
    Column("promises"),
    Column("rollback"),
    Column("lock timeout", is_dim=True, give_up=3),
    Column("statement timeout", is_dim=True, give_up=4),
    Column("", "yellow", give_up=1, brief=lambda way: _BRIEFLY.get(way, way), brief_at=2),
)


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--to", metavar="ID", help="Stop after this migration.")
@click.option("--out-of-order", is_flag=True, help="Allow a number below the newest applied one.")
@running
@click.pass_obj
def plan(context: Context, databases: tuple[str, ...], to: str | None, out_of_order: bool) -> None:
    """Show what migrate would do, with promises and timeouts."""
    for vouch in context.databases(databases):
        with vouch:
            found = vouch.plan(to=to, out_of_order=out_of_order)
        if context.as_json:
            context.tell(document=as_json.of_plan(vouch.name, found))
        else:
            _print(vouch.name, found)
        for warning in found.warnings:
            context.doubt(warning.message, warning.place)


def _print(name: str, found: Plan) -> None:
    if not found.pending:
        output.say(f"{name}: nothing to do")
        return
    count = len(found.warnings)
    doubts = f", {count} warning{'s' * (count != 1)}" if count else ""
    output.say(output.Styled(f"{name}: {len(found.pending)} to apply{doubts}", bold=True))
    unlimited = "none" if found.is_role_known else "the role's"
    table.echo(
        _PLAN,
        [
            (
                item.id,
                " + ".join(_promises(item)) or "none",
                "yes" if item.has_rollback else "no",
                item.lock_timeout or "none",
                item.statement_timeout or unlimited,
                _way(item),
            )
            for item in found.pending
        ],
    )


def _way(item: Planned) -> str:
    if not item.transactional:
        return _STEPWISE
    return "" if item.isolation == ISOLATION[0] else str(item.isolation)


def _promises(item: Planned) -> list[str]:
    return [word for word, has in (("checks", item.has_checks), ("delta", item.has_delta)) if has]
