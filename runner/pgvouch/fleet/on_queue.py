"""A fleet on the queue: enqueued, worked on, watched, paused, cancelled."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

import psycopg

from pgvouch.errors import ConnectError, MigrationError, UsageError
from pgvouch.fleet.fleet import Fleet
from pgvouch.fleet.one_database import Done, Order
from pgvouch.fleet.queue import AWAY, Asking, Progress, Queue, Queued, Said
from pgvouch.fleet.queue_schema import bring_up_to_date
from pgvouch.fleet.queue_worker import Event, Pace, QueueWorker
from pgvouch.fleet.rollout import no_databases, not_listed
from pgvouch.fleet.slots import slots_of
from pgvouch.fleet.store import (
    JUDGED,
    Rollout,
    ensure_tables,
    open_control,
    refuse_strange_queue,
)
from pgvouch.fleet.target import Result
from pgvouch.fleet.waves import Wave, waves_of

_Found = TypeVar("_Found")
_NAMES = 5


class FleetQueue:
    """What can be done with a fleet by way of the queue in its control database."""

    def __init__(self, fleet: Fleet) -> None:
        """Say which fleet."""
        self._fleet = fleet

    @cached_property
    def name(self) -> str:
        """Return the name of the queue for a fleet's files and its list of databases.

        A worker with other files, or another list, has another queue: it does not see these jobs.
        """
        hashed = hashlib.sha256()

        def add(*texts: object) -> None:
            for text in texts:
                raw = text if isinstance(text, bytes) else str(text).encode()
                hashed.update(len(raw).to_bytes(8, "big") + raw)

        said = self._fleet.settings
        add(said.name, said.folder, said.targets, said.pattern, said.file and "file", said.url)
        add(said.template, said.server)
        for migration in (*self._fleet.database.migrations, *self._fleet.database.repeatables):
            add(migration.id, migration.checksum)
            beside = (
                migration.rollback_path,
                migration.verify_path,
                migration.rollback_verify_path,
                migration.delta_path,
            )
            for path in filter(None, beside):
                add(path.name, path.read_bytes())
        # Channels of NOTIFY have 63 bytes at most, of which procrastinate takes 23.
        return f"fleet-{hashed.hexdigest()[:24]}"

    def enqueue(
        self, *, to: str | None = None, pauses: bool = False
    ) -> tuple[Rollout, Sequence[Wave]]:
        """Put a rollout on the queue: it, its databases and its first jobs, in one transaction.

        Args:
            to: the last migration; None means all.
            pauses: whether each wave waits for `resume`.

        Returns:
            It, and its waves.

        Raises:
            PlanError: one of this fleet is under way, or the queue is not what it should be.
            UsageError: there is no control database, or no database.
        """
        _refuse_stdin(self._fleet)
        Done(self._fleet.order("migrate", to=to))  # no worker is to find that a file is not sound
        settings = self._fleet.settings
        targets = self._fleet.listing.targets()
        waves = waves_of(targets, settings.waves, settings.budget)
        said = Said(max_failures=str(settings.budget), pauses=pauses)
        return _enqueue(self._fleet, "migrate", to, said, waves)

    def enqueue_rollback(
        self, *, number: int | None = None, discard_data: bool = False
    ) -> tuple[Rollout, Sequence[Wave]]:
        """Put it on the queue to roll back exactly what a rollout has applied.

        Args:
            number: of the rollout; None: the last one.
            discard_data: rows may be lost.

        Raises:
            PlanError, UsageError: as `enqueue` does; or there was none.
        """
        _refuse_stdin(self._fleet)
        undone, touched = self._fleet.undone(number)
        targets = [target for target in self._fleet.listing.targets() if target.name in touched]
        waves = waves_of(targets, self._fleet.settings.waves, self._fleet.settings.budget)
        said = Said(undone=undone.comment, discard_data=discard_data)
        gone = not_listed(touched, targets)
        return _enqueue(self._fleet, "rollback", str(undone.id), said, waves, gone)

    def work(
        self,
        tell: Callable[[Event], None],
        *,
        pace: Pace | None = None,
        once: bool = False,
    ) -> None:
        """Take the jobs of a fleet's rollouts until a signal comes.

        Args:
            tell: is told what happens.
            pace: how often it looks at things.
            once: end when no rollout is under way.

        Raises:
            VouchError: the files are not sound, or the queue is not to be believed.
        """
        _refuse_stdin(self._fleet)
        _be_silent()
        Done(self._fleet.order("migrate"))
        self._fleet.gate(lambda: 0, tell)  # what cannot be asked is refused now

        def order(queued: Queued) -> Order:
            rollout, said = queued.rollout, queued.said
            found = self._fleet.order(
                rollout.action,
                to=rollout.wanted if rollout.action == "migrate" else None,
                discard_data=said.discard_data,
                comment=rollout.comment,
            )
            return replace(found, undone=said.undone)

        QueueWorker(
            self._fleet.listing,
            order,
            self.name,
            control=_control(self._fleet),
            jobs=self._fleet.settings.jobs,
            tell=tell,
            between=lambda number, halt: self._fleet.gate(lambda: number, tell, halt=halt),
            pace=pace or Pace(),
            once=once,
        ).run()

    def progress(self, number: int | None = None, *, names: int = _NAMES) -> Progress:
        """Return how far the last rollout on the queue is, or the one of a number.

        Args:
            number: of the rollout.
            names: how many databases are named for each cause of a failure.
        """

        async def ask(asking: Asking) -> Progress:
            return await asking.progress(
                await asking.last(self._fleet.settings.name, number), names
            )

        return _asked(self._fleet, ask)

    def pause(self) -> Queued:
        """Have the rollout under way begin nothing new; what is under way ends."""
        return _asked(self._fleet, lambda asking: _with_last(asking, self._fleet, Asking.pause))

    def resume(self) -> Queued:
        """Have the rollout go on after a pause."""
        return _asked(self._fleet, lambda asking: _with_last(asking, self._fleet, Asking.resume))

    def cancel(self, *, now: bool = False) -> tuple[Queued, int]:
        """End the rollout under way.

        Args:
            now: what is under way is cancelled and rolled back, too.

        Returns:
            It, and how many jobs are under way.
        """

        async def end(asking: Asking) -> tuple[Queued, int]:
            queued = await asking.find(await asking.last(self._fleet.settings.name))
            is_over = queued.rollout.ended_at is not None
            if is_over and now and (doing := await asking.live(queued)):
                await asking.abort(
                    doing
                )  # it was cancelled before, and what is under way takes long
                return queued, len(doing)
            _refuse_ended(self._fleet, queued)
            doing = await asking.stop(queued, "cancelled")
            if now:
                await asking.abort(doing)
            return queued, len(doing)

        return _asked(self._fleet, end)


def _refuse_stdin(fleet: Fleet) -> None:
    if fleet.settings.file == "-":
        raise UsageError(
            "a list on stdin is not there for the workers",
            hint="put it into a file that every worker has, or ask the control database: --targets",
        )


def _enqueue(
    fleet: Fleet,
    action: str,
    wanted: str | None,
    said: Said,
    waves: Sequence[Wave],
    gone: Sequence[Result] = (),
) -> tuple[Rollout, Sequence[Wave]]:
    settings = fleet.settings
    if not waves:
        raise no_databases(settings.name)
    with open_control(_control(fleet)) as session:
        ensure_tables(session)
        bring_up_to_date(session)
    targets = [target for wave in waves for target in wave.targets]
    # How many at once is a matter of the server here: there may be any number of workers.
    slots = slots_of(targets, len(targets), settings.per_server)
    said = replace(said, per_server=dict(slots.per_server))

    async def put(asking: Asking) -> Rollout:
        return await asking.enqueue(
            settings.name, action, wanted, FleetQueue(fleet).name, said, waves, gone
        )

    return _asked(fleet, put), waves


def _be_silent() -> None:
    """Keep procrastinate and its pool from writing to stderr where nothing else is set up."""
    for name in ("procrastinate", "psycopg.pool"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    # Without a handler at the root, what reaches it is printed.
    if not logging.getLogger().handlers:
        for name in ("procrastinate", "psycopg.pool"):
            logging.getLogger(name).propagate = False


async def _with_last(
    asking: Asking, fleet: Fleet, do: Callable[[Asking, Queued], Awaitable[None]]
) -> Queued:
    queued = await _under_way(asking, fleet)
    await do(asking, queued)
    return queued


async def _under_way(asking: Asking, fleet: Fleet) -> Queued:
    queued = await asking.find(await asking.last(fleet.settings.name))
    _refuse_ended(fleet, queued)
    return queued


def _refuse_ended(fleet: Fleet, queued: Queued) -> None:
    if queued.rollout.ended_at is not None:
        raise UsageError(
            f"no rollout of the fleet {fleet.settings.name} is under way: the last one, number "
            f"{queued.rollout.id}, has ended: {queued.rollout.outcome}"
        )


def _asked(fleet: Fleet, ask: Callable[[Asking], Awaitable[_Found]]) -> _Found:
    """Ask the control database in one transaction."""
    _be_silent()

    async def run() -> _Found:
        queue = Queue(_control(fleet), connections=1)
        async with queue.app.open_async(), queue.transaction() as asking:
            return await ask(asking)

    # Who cannot connect is told so here; a pool would try for half a minute.
    with open_control(_control(fleet)) as session:
        ensure_tables(session)
        session.ask(JUDGED)
        refuse_strange_queue(session)
    try:
        return asyncio.run(run())
    except AWAY as exc:
        raise ConnectError(f"the control database is away: {exc}") from None
    except psycopg.Error as exc:
        said = exc.diag.message_primary or type(exc).__name__
        raise MigrationError(
            f"the control database refuses this: {said}",
            hint="connect to the primary, as the role that has made the queue or a member of it",
        ) from None


def _control(fleet: Fleet) -> str:
    url = fleet.listing.control_url
    if url is None:
        raise UsageError(
            "the queue is in the control database, and the fleet has none",
            hint=f'control = "CONTROL_URL" under [fleet.{fleet.settings.name}], or --control',
        )
    return url
