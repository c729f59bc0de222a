"""pgvouch fleet: enqueue, worker, watch, pause, resume, cancel."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from pgvouch.cli import output, table
from pgvouch.cli.context import Context
from pgvouch.cli.fleet_lines import Lines
from pgvouch.cli.fleet_options import CONTROL, LISTED, OPTIONS, ROLLING, all_of, fleet_of, say_kept
from pgvouch.cli.live import age
from pgvouch.cli.options import common, duration_s, running
from pgvouch.cli.output import Styled
from pgvouch.cli.table import Column
from pgvouch.errors import FAILED, ConnectError, Interrupted, UsageError
from pgvouch.fleet.target import FAILING, OPEN, WELL, State

if TYPE_CHECKING:
    from pgvouch.fleet.fleet import Fleet
    from pgvouch.fleet.on_queue import FleetQueue
    from pgvouch.fleet.queue import Progress
    from pgvouch.fleet.queue_worker import Event

_LOOK_S = 1.0
_SAID_S = 60.0
"""How often a log is told, where there is no terminal."""
_HUNGRY_S = 30.0
"""If nothing happens for so long, no worker may be there."""
_WAVES = (Column("wave", shortens=True), Column("databases"), Column("done"), Column("failed"),
          Column("may fail"))  # fmt: skip


def _queued(context: Context, name: str | None, given: dict[str, Any]) -> "Fleet":
    try:
        import procrastinate  # noqa: F401
    except ImportError:
        raise UsageError(
            "the queue of a fleet needs procrastinate, which is not installed",
            hint="pip install 'pgvouch[fleet]'",
        ) from None
    return fleet_of(context, name, given)


@click.command()
@click.argument("name", required=False)
@click.option("--to", metavar="ID", help="Stop after this migration.")
@click.option("--pause", is_flag=True, help="Wait behind each wave for `fleet resume`.")
@click.option("--rollback", is_flag=True, help="Roll back what a rollout has applied.")
@click.option("--rollout", type=int, metavar="N", help="Which one; otherwise the last.")
@click.option("--discard-data", is_flag=True, help="Rows may be lost with a rollback.")
@all_of(LISTED, ROLLING)
@running
@click.pass_obj
def enqueue(
    context: Context,
    /,
    name: str | None,
    to: str | None,
    pause: bool,
    rollback: bool,
    rollout: int | None,
    discard_data: bool,
    **given: Any,
) -> None:
    """Put a rollout on the queue of the control database, for workers anywhere."""
    found = _queued(context, name, given)
    from pgvouch.fleet.on_queue import FleetQueue

    if rollback:
        if to or pause:
            raise UsageError("--to and --pause are not for a rollback")
        made, waves = FleetQueue(found).enqueue_rollback(number=rollout, discard_data=discard_data)
    else:
        if rollout is not None or discard_data:
            raise UsageError("--rollout and --discard-data are for --rollback")
        made, waves = FleetQueue(found).enqueue(to=to, pauses=pause)
    total = sum(len(wave.targets) for wave in waves)
    queue = FleetQueue(found).name
    document = {"rollout": made.id, "fleet": made.fleet, "queue": queue, "databases": total}
    if context.as_json:
        context.tell(document=document)
        return
    said = f"  rollout {made.id}: {total} databases in {len(waves)} waves are on the queue"
    output.say(Styled(made.fleet, bold=True), said)
    if rollback:
        say_kept(found, int(made.wanted or 0))
    output.say(f"  next    pgvouch fleet worker {made.fleet}, on as many machines as you like")
    output.say(f"          pgvouch fleet watch {made.fleet}")


@click.command()
@click.argument("name", required=False)
@click.option("--once", is_flag=True, help="End when no rollout is under way.")
@click.option(
    "--grace", metavar="TIME", default="25s", callback=duration_s,
    help="How long what is under way may go on after SIGTERM (25s).",
)  # fmt: skip
@click.option(
    "--dead-after", metavar="TIME", default="30s", callback=duration_s,
    help="When the jobs of a silent worker are taken over (30s).",
)  # fmt: skip
@all_of(OPTIONS)
@running
@click.pass_obj
def worker(
    context: Context, /, name: str | None, once: bool, grace: float, dead_after: float, **given: Any
) -> None:
    """Take jobs from the queue until a signal comes; SIGTERM ends it gracefully."""
    found = _queued(context, name, given)
    from pgvouch.fleet.on_queue import FleetQueue
    from pgvouch.fleet.queue_worker import Pace

    beat_s = max(dead_after / 4, 0.1)
    pace = Pace(heartbeat_s=beat_s, dead_s=dead_after, sweep_s=beat_s, grace_s=grace)
    context.as_lines = context.as_json
    if not context.as_json:
        output.say(f"takes the jobs of {FleetQueue(found).name}")
    tell = Lines(found.settings.name) if context.as_json else _teller()
    FleetQueue(found).work(tell, pace=pace, once=once)


@click.command()
@click.argument("name", required=False)
@click.option("--rollout", type=int, metavar="N", help="Which one; otherwise the last.")
@click.option("--once", is_flag=True, help="Show how it stands now, and end.")
@all_of(CONTROL)
@common
@click.pass_obj
def watch(
    context: Context, /, name: str | None, rollout: int | None, once: bool, **given: Any
) -> int:
    """Show how far a rollout on the queue is, until it ends."""
    found = _queued(context, name, given)
    from pgvouch.fleet.on_queue import FleetQueue

    progress = FleetQueue(found).progress(rollout)
    if not once:
        try:
            progress = _watched(FleetQueue(found), progress, context)
        except Interrupted as exc:
            exc.state = f"Rollout {progress.queued.rollout.id} goes on without being watched."
            raise
    _show(context, progress)
    queued = progress.queued
    is_well = queued.rollout.outcome in {None, "done"} and not progress.count(*FAILING)
    return 0 if is_well else FAILED


def _watched(queue: "FleetQueue", progress: "Progress", context: Context) -> "Progress":
    """Draw how far a rollout is until it ends, whatever becomes of the control database."""
    number, began_s, first = progress.queued.rollout.id, time.monotonic(), _done(progress)
    said_s = began_s
    while progress.queued.rollout.ended_at is None or progress.at_work:
        now_s = time.monotonic()
        line = _line(progress, (_done(progress) - first) / max(now_s - began_s, 0.001))
        try:
            progress = queue.progress(number)
        except ConnectError as exc:
            line = f"  rollout {number}  {exc.message}: tried again"
        if output.redraws():
            output.draw(line, now=True)
        elif not context.as_json and now_s - said_s >= _SAID_S:
            output.say(line, err=True)
            said_s = now_s
        time.sleep(_LOOK_S)
    output.undraw()
    return progress


@click.command()
@click.argument("name", required=False)
@all_of(CONTROL)
@common
@click.pass_obj
def pause(context: Context, /, name: str | None, **given: Any) -> None:
    """Have the rollout on the queue begin nothing new."""
    found = _queued(context, name, given)
    from pgvouch.fleet.on_queue import FleetQueue

    queued = FleetQueue(found).pause()
    _say(context, queued.rollout.id, "paused", "what is under way ends; pgvouch fleet resume")


@click.command()
@click.argument("name", required=False)
@all_of(CONTROL)
@common
@click.pass_obj
def resume(context: Context, /, name: str | None, **given: Any) -> None:
    """Have a rollout go on after a pause."""
    found = _queued(context, name, given)
    from pgvouch.fleet.on_queue import FleetQueue

    _say(context, FleetQueue(found).resume().rollout.id, "goes on", "pgvouch fleet watch")


@click.command()
@click.argument("name", required=False)
@click.option("--now", is_flag=True, help="Cancel what is under way, too.")
@all_of(CONTROL)
@common
@click.pass_obj
def cancel(context: Context, /, name: str | None, now: bool, **given: Any) -> None:
    """End the rollout on the queue; what it has done stays."""
    found = _queued(context, name, given)
    from pgvouch.fleet.on_queue import FleetQueue

    queued, doing = FleetQueue(found).cancel(now=now)
    each = "job is" if doing == 1 else "jobs are"
    ends = "cancelled now" if now else "under way, and will end"
    said = f"{doing} {each} {ends}; " if doing else ""
    _say(context, queued.rollout.id, "cancelled", f"{said}what it has done stays")


COMMANDS = (enqueue, worker, watch, pause, resume, cancel)


def _say(context: Context, number: int, state: str, more: str) -> None:
    if context.as_json:
        context.tell(document={"rollout": number, "state": state})
    else:
        output.say(f"rollout {number} {state}: {more}")


def _teller() -> "Callable[[Event], None]":
    from pgvouch.fleet.between import Asks
    from pgvouch.fleet.queue_jobs import Judged, Taken
    from pgvouch.fleet.queue_worker import Trouble

    def tell(event: "Event") -> None:
        match event:
            case Taken():
                failed = [result for result in event.results if not result.is_well]
                count = len(event.results)
                said = f"{count} database{'s' * (count != 1)} in {event.seconds:.1f} s"
                output.say(f"rollout {event.rollout}  {event.wave}  {said}")
                for result in failed:
                    told = f" {result.target}  {result.state}: {result.cause}"
                    output.say("  ", Styled("✗", "red"), told, err=True)
            case Judged():
                output.say(f"rollout {event.rollout}  {event.wave}: {event.outcome}")
            case Asks():
                output.say(f"{event.wave}: asks {event.what}")
            case Trouble():
                output.say(event.said, err=True)

    return tell


def _done(progress: "Progress") -> int:
    return sum(progress.counts.values()) - progress.count(*OPEN, State.LEFT)


def _line(progress: "Progress", rate: float) -> str:
    queued = progress.queued
    total = sum(progress.counts.values())
    done = _done(progress)
    name, _ = queued.waves[queued.wave]
    said = f"  rollout {queued.rollout.id}  {name}  {done} of {total}  {progress.at_work} under way"
    if queued.rollout.outcome is not None:
        return f"{said}, which ends  {queued.rollout.outcome}"
    said = f"{said}  {rate:.1f}/s" if rate else said
    if queued.paused:
        return f"{said}  paused: pgvouch fleet resume"
    if progress.idle_s > _HUNGRY_S:
        if progress.at_work:
            return f"{said}  the longest for {age(progress.longest_s)}"
        return f"{said}  nothing for {age(progress.idle_s)}: is a worker there?"
    return f"{said}  {age((total - done) / rate)} left" if rate else said


def _show(context: Context, progress: "Progress") -> None:
    queued = progress.queued
    rows = []
    for number, (name, may_fail) in enumerate(queued.waves):
        here = {state: n for (wave, state), n in progress.counts.items() if wave == number}
        well = sum(n for state, n in here.items() if state in WELL)
        failed = sum(n for state, n in here.items() if state in FAILING)
        rows.append((name, str(sum(here.values())), str(well), str(failed), str(may_fail)))
    if context.as_json:
        context.tell(document=_document(progress))
        return
    outcome = queued.rollout.outcome or ("paused" if queued.paused else "under way")
    output.say(Styled(queued.rollout.fleet, bold=True), f"  rollout {queued.rollout.id}: {outcome}")
    table.echo(_WAVES, rows)
    for state, cause, count, names in progress.causes:
        more = f" and {count - len(names)} more" if count > len(names) else ""
        mark = Styled("?", "yellow") if state in WELL else Styled("✗", "red")
        output.say("  ", mark, f" {count} {state}: {cause}")
        output.say(f"      {', '.join(names)}{more}")
    lost = progress.count(State.BEGUN) - progress.at_work
    if lost > 0 and queued.rollout.ended_at is not None:
        told = (
            f" {lost} begun by a worker that is silent: pgvouch fleet status shows how far it came"
        )
        output.say("  ", Styled("✗", "red"), told)


def _document(progress: "Progress") -> dict[str, Any]:
    queued = progress.queued
    return {
        "rollout": queued.rollout.id,
        "fleet": queued.rollout.fleet,
        "outcome": queued.rollout.outcome,
        "paused": queued.paused,
        "waves": [
            {
                "name": name,
                "may_fail": may_fail,
                "databases": {
                    str(state): n for (wave, state), n in progress.counts.items() if wave == number
                },
            }
            for number, (name, may_fail) in enumerate(queued.waves)
        ],
        "causes": [
            {"state": str(state), "cause": cause, "databases": count, "some": list(names)}
            for state, cause, count, names in progress.causes
        ],
    }
