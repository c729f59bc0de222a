"""The options that the commands of a fleet share."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from pgvouch.cli import output
from pgvouch.cli.context import Context
from pgvouch.cli.options import duration_s
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


def _seconds(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    return None if value is None else duration_s(ctx, parameter, value)


_CONTROL = click.option(
    "--control", metavar="VARIABLE", help="It has the URL of the control database."
)
CONTROL = (_CONTROL,)
"""What is asked of the control database alone takes no more."""
LISTED = (
    click.option("--targets", metavar="QUERY", help="Asked in the control database: name, …"),
    _CONTROL,
    click.option("--pattern", metavar="PATTERN", help="Of names on the server: 'tenant_*'."),
    click.option("--file", metavar="FILE", help="Names, URLs or JSON objects; - is stdin."),
    click.option("--template", metavar="DB", help="What new databases are made from."),
    click.option(
        "--per-server", type=click.IntRange(min=1), metavar="N",
        help="Databases of one server at once (16, and no more than it has left).",
    ),
)  # fmt: skip
"""Which databases, and how many of a server at once."""
OPTIONS = (
    *LISTED,
    click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Databases at once (16)."),
)
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
GATES = (
    click.option(
        "--gate-verify", is_flag=True, default=None,
        help="Behind each wave, run every promise again in its databases.",
    ),
    click.option(
        "--gate-query", metavar="QUERY",
        help="Behind each wave, ask the control database whether to go on.",
    ),
    click.option(
        "--gate-command", metavar="COMMAND",
        help="Behind each wave, run this; 0 goes on.",
    ),
    click.option(
        "--gate-wait", "gate_wait_s", metavar="TIME", callback=_seconds,
        help="Leave each wave to itself for so long before that.",
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


def fleet_name(context: Context, name: str | None) -> str:
    """Return the name of the fleet that a command line means.

    Raises:
        UsageError: it names none, and there are several.
    """
    fleets = list(context.project.fleets)
    if name is None and len(fleets) > 1:
        raise UsageError("which fleet?", hint=f"name one: {', '.join(fleets)}")
    return name or (fleets[0] if fleets else "fleet")


def say_kept(found: "Fleet", undone: int) -> None:
    """Say what other rollouts have applied, which a rollback of this one leaves.

    Args:
        found: the fleet.
        undone: the number of the rollout that is rolled back.
    """
    for number, count in found.kept(undone):
        output.say(
            f"  note    what rollout {number} has applied in {count} database{'s' * (count != 1)} "
            f"stays: pgvouch fleet rollback {found.settings.name} --rollout {number}"
        )


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

    if not given.get("waves"):
        given.pop("waves", None)
    return Fleet(
        fleet_name(context, name),
        url=context.url,
        project=context.project,
        environment=context.environment,
        dotenv=not context.no_dotenv,
        variables=context.variables,
        **({"on_event": on_event} if on_event else {}),
        settings=context.settings,
        **given,
    )
