"""The options that the commands of a fleet share."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from pgvouch.cli.context import Context
from pgvouch.errors import UsageError
from pgvouch.fleet.waves import Budget

if TYPE_CHECKING:
    from pgvouch.fleet.fleet import Fleet
    from pgvouch.fleet.rollout import Event


def _budget(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Budget | None:
    try:
        return None if value is None else Budget.of(value)
    except UsageError as exc:
        raise click.BadParameter(exc.message, ctx, parameter) from None


OPTIONS = (
    click.option("--targets", metavar="QUERY", help="Asked in the control database: name, …"),
    click.option("--control", metavar="VARIABLE", help="It has the URL of the control database."),
    click.option("--pattern", metavar="PATTERN", help="Of names on the server: 'tenant_*'."),
    click.option("--file", metavar="FILE", help="Names, URLs or JSON objects; - is stdin."),
    click.option("--template", metavar="DB", help="What new databases are made from."),
    click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Databases at once (16)."),
    click.option(
        "--per-server", type=click.IntRange(min=1), metavar="N",
        help="Databases of one server at once (16, and no more than it has left).",
    ),
)  # fmt: skip
ROLLING = (
    click.option(
        "--wave", "waves", multiple=True, metavar="SIZE",
        help="Of one wave behind the other: 1, 1%, rest.",
    ),
    click.option(
        "--max-failures", "budget", callback=_budget, metavar="N",
        help="How many of a wave may fail: 3, or 1%, as without it.",
    ),
)  # fmt: skip


def all_of(*groups: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """Return a decorator that adds the options of groups."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for group in reversed(groups):
            for option in reversed(group):
                function = option(function)
        return function

    return decorate


def fleet_of(
    context: Context,
    name: str | None,
    given: dict[str, Any],
    on_event: "Callable[[Event], None] | None" = None,
) -> "Fleet":
    """Return the fleet that a command line names, with what it says of it.

    Args:
        context: of the command.
        name: of the fleet; None: the only one.
        given: its options.
        on_event: is told what happens.

    Raises:
        UsageError: there is none, or more than one.
    """
    from pgvouch.fleet.fleet import Fleet

    fleets = list(context.project.fleets)
    if name is None and len(fleets) > 1:
        raise UsageError("which fleet?", hint=f"name one: {', '.join(fleets)}")
    if not given.get("waves"):
        given.pop("waves", None)
    return Fleet(
        name or (fleets[0] if fleets else "fleet"),
        url=context.url,
        project=context.project,
        environment=context.environment,
        dotenv=not context.no_dotenv,
        variables=context.variables,
        **({"on_event": on_event} if on_event else {}),
        settings=context.settings,
        **given,
    )
