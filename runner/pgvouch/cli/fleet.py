"""pgvouch fleet: plan, status, history, migrate, rollback, verify, drift."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pgvouch.cli import fleet_queue, output, table
from pgvouch.cli.context import Context
from pgvouch.cli.fleet_lines import Lines, of_result, of_summary
from pgvouch.cli.fleet_live import Progress
from pgvouch.cli.fleet_options import (
    CONTROL,
    GATES,
    OPTIONS,
    ROLLING,
    all_of,
    fleet_name,
    fleet_of,
    say_kept,
)
from pgvouch.cli.options import common, running
from pgvouch.cli.output import Line, Styled
from pgvouch.cli.table import Column
from pgvouch.errors import DRIFT, FAILED, PENDING, UsageError
from pgvouch.fleet.target import WELL, State

if TYPE_CHECKING:
    from pgvouch.fleet.fleet import Fleet
    from pgvouch.fleet.rollout import Summary
    from pgvouch.fleet.store import Past
    from pgvouch.fleet.target import Result
    from pgvouch.fleet.waves import Wave

_NAMES = 5
"""How many databases are named beside a cause; --verbose names all."""
_VERSIONS = (Column("version", shortens=True), Column("databases"))
_PLAN = (Column("wave", shortens=True), Column("databases"), Column("with something to do"),
         Column("in trouble"), Column("may fail"))  # fmt: skip
_HISTORY = (Column("rollout"), Column("when", is_dim=True, give_up=1),
            Column("what", shortens=True), Column("outcome", shortens=True),
            Column("databases", shortens=True))  # fmt: skip
_MOST = 20


@click.group()
def fleet() -> None:
    """Migrate many databases with one folder of migrations, in waves."""


for _command in fleet_queue.COMMANDS:
    fleet.add_command(_command)


@fleet.command()
@click.argument("name", required=False)
@click.option("--to", metavar="ID", help="As if this were the last migration.")
@click.option("--exit-code", is_flag=True, help="Exit with 3 where something is pending.")
@all_of(OPTIONS)
@common
@click.pass_obj
def status(
    context: Context, /, name: str | None, to: str | None, exit_code: bool, **given: Any
) -> int:
    """Show how many databases are at which version, and which are in trouble."""
    found = fleet_of(context, name, given)
    summary = found.status(to=to)
    _tell(context, found.settings.name, summary)
    if summary.failed or summary.is_lost:
        return FAILED
    return PENDING if exit_code and summary.count(State.PENDING) else 0


@fleet.command()
@click.argument("name", required=False)
@click.option("--most", type=click.IntRange(min=1), default=_MOST, help="So many (20).")
@all_of(CONTROL)
@common
@click.pass_obj
def history(context: Context, /, name: str | None, most: int, **given: Any) -> None:
    """Show the rollouts of a fleet, with the numbers that --rollout takes.

    The newest comes last.
    """
    found = fleet_of(context, name, given)
    past = found.store.history(most)[::-1]
    if context.as_json:
        rollouts = [{**asdict(each), "began_at": each.began_at.isoformat()} for each in past]
        context.tell(document={"fleet": found.settings.name, "rollouts": rollouts})
        return
    output.say(Styled(found.settings.name, bold=True))
    table.echo(
        _HISTORY,
        [
            (
                str(each.id),
                f"{each.began_at:%Y-%m-%d %H:%M:%S}Z",
                _what(each),
                each.outcome or "under way, or killed",
                ", ".join(f"{count} {state}" for state, count in each.counts.items()),
            )
            for each in past
        ],
    )


def _what(past: "Past") -> str:
    if past.action == "rollback":
        return f"rollback of {past.wanted}"
    return f"{past.action} --to {past.wanted}" if past.wanted else past.action


@fleet.command()
@click.argument("name", required=False)
@click.option("--to", metavar="ID", help="Stop after this migration.")
@all_of(OPTIONS, ROLLING)
@common
@click.pass_obj
def plan(context: Context, /, name: str | None, to: str | None, **given: Any) -> int:
    """Show the waves of a rollout, and where there is something to do."""
    from pgvouch.fleet.rollout import Summary

    found = fleet_of(context, name, given)
    waves = found.plan(to=to)
    document = {
        "fleet": found.settings.name,
        "waves": [
            {
                "name": wave.name,
                "databases": [target.name for target in wave.targets],
                "pending": stands.count(State.PENDING),
                "trouble": [of_result(result) for result in stands.failed],
                "may_fail": wave.may_fail,
            }
            for wave, stands in waves
        ],
    }
    whole = Summary(tuple(result for _, stands in waves for result in stands.results))
    code = FAILED if whole.failed or whole.is_lost else 0
    if context.as_json:
        context.tell(document=document)
        return code
    output.say(Styled(found.settings.name, bold=True))
    table.echo(
        _PLAN,
        [
            (wave.name, *map(str, (len(wave.targets), stands.count(State.PENDING),
                                   len(stands.failed), wave.may_fail)))
            for wave, stands in waves
        ],
    )  # fmt: skip
    _say_causes(whole, verbose=context.verbose)
    return code


@fleet.command()
@click.argument("name", required=False)
@click.option("--to", metavar="ID", help="Stop after this migration.")
@click.option("--pause", is_flag=True, help="Ask behind each wave whether to go on.")
@all_of(OPTIONS, ROLLING, GATES)
@running
@click.pass_obj
def migrate(
    context: Context, /, name: str | None, to: str | None, pause: bool, **given: Any
) -> int:
    """Apply what is pending, wave by wave; again, it does what is left."""
    if pause and not sys.stdin.isatty():
        raise UsageError("--pause asks, and there is no terminal", hint="leave it out")
    found = _rolling(context, name, given)
    return _rolled(context, found, lambda: found.migrate(to=to, between=_asker(pause=pause)))


@fleet.command()
@click.argument("name", required=False)
@click.option("--rollout", type=int, metavar="N", help="Which one; otherwise the last.")
@click.option("--discard-data", is_flag=True, help="Rows may be lost with it.")
@all_of(OPTIONS, ROLLING)
@running
@click.pass_obj
def rollback(
    context: Context, /, name: str | None, rollout: int | None, discard_data: bool, **given: Any
) -> int:
    """Roll back exactly what a rollout has applied, where nothing came after it."""
    found = _rolling(context, name, given)
    undone = found.undone(rollout)[0].id
    code = _rolled(context, found, lambda: found.rollback(number=undone, discard_data=discard_data))
    if not context.as_json:
        say_kept(found, undone)
    return code


@fleet.command()
@click.argument("name", required=False)
@all_of(OPTIONS)
@running
@click.pass_obj
def verify(context: Context, /, name: str | None, **given: Any) -> int:
    """Run every promise again in each database."""
    found = _rolling(context, name, given)
    return _rolled(context, found, found.verify)


@fleet.command()
@click.argument("name", required=False)
@all_of(OPTIONS)
@running
@click.pass_obj
def drift(context: Context, /, name: str | None, **given: Any) -> int:
    """Compare each database with what its migrations made, grouped by what differs."""
    found = _rolling(context, name, given)
    return DRIFT if _rolled(context, found, found.drift) else 0


def _rolling(context: Context, name: str | None, given: dict[str, Any]) -> "Fleet":
    """Return a fleet of which is told what happens as it does."""
    context.as_lines = context.as_json
    chosen = fleet_name(context, name)
    return fleet_of(context, chosen, given, Lines(chosen) if context.as_json else Progress())


def _rolled(context: Context, found: "Fleet", roll: Callable[[], "Summary"]) -> int:
    began_s = time.monotonic()
    summary = roll()
    _tell(context, found.settings.name, summary, time.monotonic() - began_s)
    return FAILED if summary.failed or summary.stopped_in or summary.is_lost else 0


def _asker(*, pause: bool) -> "Callable[[Wave, Sequence[Result]], str | None]":
    def ask(wave: "Wave", results: "Sequence[Result]") -> str | None:
        if not pause or wave.is_last:
            return None
        failed = sum(not result.is_well for result in results)
        output.undraw()
        asked = f"{wave.name}: {len(results) - failed} done, {failed} failed. Go on?"
        return None if click.confirm(asked, err=True) else "the answer was no"

    return ask


def _tell(context: Context, name: str, summary: "Summary", seconds: float | None = None) -> None:
    if context.as_json:
        if context.as_lines:
            Lines(name).summary(summary, seconds)
        else:
            context.tell(document={"fleet": name, **of_summary(summary)})
        return
    total = len(summary.results)
    output.say(Styled(name, bold=True), f"  {total} database{'s' * (total != 1)}")
    if versions := [(v or "none", str(count)) for v, count in summary.by_version]:
        table.echo(_VERSIONS, versions)
    _say_causes(summary, verbose=context.verbose)
    states = dict.fromkeys(result.state for result in summary.results)
    said = ", ".join(f"{summary.count(state)} {state}" for state in states) or "no databases"
    took = f" in {seconds:.1f} s" if seconds is not None else ""
    which = f": rollout {summary.number}" if summary.number else ""
    output.say(f"{name}: {said}{took}{which}")
    if summary.reason is not None:
        output.say(f"  stopped in {summary.stopped_in}: {summary.reason}")
    if hint := _next(name, summary):
        output.say(f"  next    {hint}")


def _next(name: str, summary: "Summary") -> str:
    """Return what to do where something went wrong; of a look, nothing is said."""
    if summary.is_lost:
        return "none of these databases is there: look at the list, and at the URL"
    if not summary.number or not (summary.stopped_in or summary.failed):
        return ""
    mend = "what failed" if summary.reason is None else "what was found"
    left = "what is left" if summary.stopped_in else "those that failed"
    back = f"; or take it back: pgvouch fleet rollback {name} --rollout {summary.number}"
    again = f"mend {mend}, and run the same command again: it goes on with {left}"
    has_done = any(result.finished for result in summary.results)
    return again + back * (summary.action == "migrate" and has_done)


def _say_causes(summary: "Summary", *, verbose: bool) -> None:
    for line in _causes(summary, verbose=verbose):
        output.say(*((line,) if isinstance(line, str) else line))


def _causes(summary: "Summary", *, verbose: bool) -> list[Line]:
    lines: list[Line] = []
    for state, cause, names in summary.by_cause:
        shown = names if verbose else names[:_NAMES]
        more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
        mark = Styled("?", "yellow") if state in WELL else Styled("✗", "red")
        first, *others = cause.split("; ") if state is State.DRIFTED else (cause,)
        lines.append(("  ", mark, f" {len(names)} {state}: {first}"))
        lines += [f"      {other}" for other in others]
        lines.append(f"      {', '.join(shown)}{more}")
    return lines
