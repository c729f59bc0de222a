"""Takes the jobs of a queue, and looks after those of workers that have died."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import psycopg
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import ConnectorException

from pgvouch.errors import ConnectError, VouchError
from pgvouch.fleet.between import Asks, Between
from pgvouch.fleet.blocking import Blocking, Unfinished
from pgvouch.fleet.listing import Listing
from pgvouch.fleet.one_database import Order
from pgvouch.fleet.queue import AGAIN_S, AWAY, JUDGE, SLOT, Queue, Queued
from pgvouch.fleet.queue_jobs import Jobs, Judged, Taken
from pgvouch.fleet.queue_schema import bring_up_to_date
from pgvouch.fleet.slots import cancel
from pgvouch.fleet.store import ensure_tables, open_control
from pgvouch.postgres.session import ConnectionLost

_CONNECTIONS = 3
"""To the control database, and one that listens."""
_GONE = {"08", "57"}
"""Classes of SQLSTATE: the connection, and what an administrator does."""
_NOW = datetime.fromtimestamp(0, UTC)
"""Our clock may be ahead of the server's."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker looks at things, in seconds."""

    heartbeat_s: float = 5.0
    """How often it says that it lives."""
    dead_s: float = 30.0
    """How long another one may be silent before its jobs are taken over."""
    poll_s: float = 0.5
    """How often it asks for jobs; it is told of most, unless a pooler is between."""
    sweep_s: float = 5.0
    """How often it looks for jobs that nobody is at."""
    grace_s: float = 25.0
    """For how long what is under way may go on once it is to end; then it is cancelled."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something keeps the worker from working, for now."""

    said: str


Event: TypeAlias = Taken | Judged | Trouble | Asks


class _Again(BaseRetryStrategy):
    """Has a job done again whatever ended it: what it has done stays done."""

    def get_retry_decision(self, *, exception: BaseException, job: Any) -> RetryDecision:
        """Return when."""
        if isinstance(exception, Unfinished):
            return RetryDecision(retry_at=_NOW)
        return RetryDecision(retry_in={"seconds": min(60, 2 + 2 * job.attempts)})


class QueueWorker:
    """Works on the jobs of one queue until it is told to end."""

    def __init__(
        self,
        listing: Listing,
        order: Callable[[Queued], Order],
        queue: str,
        *,
        control: str,
        jobs: int,
        tell: Callable[[Event], None],
        between: Callable[[int, threading.Event], Between],
        pace: Pace = Pace(),
        once: bool = False,
    ) -> None:
        """Say of which queue.

        Args:
            listing: knows where the databases are.
            order: says what is to be done for a rollout.
            queue: of these files, and this list of databases.
            control: where the control database is.
            jobs: how many databases at once.
            tell: is told what happens.
            between: returns what is asked behind each wave of a rollout whether it goes on; it
                ends when the event is set.
            pace: how often it looks at things.
            once: end when no rollout is under way.
        """
        self._name, self._control, self._at_once = queue, control, jobs
        self._fleet = listing.settings.name
        self._tell, self._pace, self._once = tell, pace, once
        self._blocking = Blocking()
        self._jobs = Jobs(listing, order, jobs, tell=tell, between=between, blocking=self._blocking)
        self._mine: set[int] = set()
        """The jobs that this worker is at."""
        self._workers: set[int] = set()
        """What procrastinate calls this worker, now and before."""
        self._forgotten: set[int] = set()
        """Jobs that it should be at, and was not when it looked last."""
        self._serving: asyncio.Task[None] | None = None
        self._told = ""
        """The trouble that was told last."""

    def run(self) -> None:
        """Work until a signal comes, or nothing is left to do.

        Raises:
            VouchError: the queue is not to be believed, or is not what this procrastinate knows.
        """
        try:
            asyncio.run(self._run())
        finally:
            self._jobs.end_at_once()

    def begin(self, job: int, worker: int | None) -> None:
        """Know of a job that this worker is at it."""
        self._mine.add(job)
        if worker is not None:
            self._workers.add(worker)

    def leave(self, job: int) -> None:
        """Know of a job that this worker is at it no more."""
        self._mine.discard(job)

    def end(self) -> None:
        """Take no new jobs, and end when the databases that are under way are done."""
        if self._blocking.is_ending:
            self._end_at_once()
            return
        self._blocking.is_ending = True
        self._jobs.end()
        if self._serving is not None:
            self._serving.cancel()
        asyncio.get_running_loop().call_later(self._pace.grace_s, self._end_at_once)

    def trouble(self, said: str) -> None:
        """Tell of trouble, once for as long as it is the same; nothing: it is over."""
        if said and said != self._told:
            self._tell(Trouble(said))
        self._told = said

    def _end_at_once(self) -> None:
        self._blocking.end_at_once()
        self._jobs.end_at_once()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._unforeseen)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.end)
        while not self._blocking.is_ending:
            try:
                await self._serve()
            except AWAY as exc:
                self.trouble(_is_away(exc))
                await asyncio.sleep(AGAIN_S)
            except Unfinished:
                return

    def _unforeseen(self, _loop: object, context: dict[str, Any]) -> None:
        """Tell of what nobody waits for; a job that others took over cannot be ended again."""
        exc = context.get("exception")
        if not isinstance(exc, ConnectorException):
            said = context.get("message", "")
            self.trouble(f"unforeseen: {type(exc).__name__}: {said}")

    async def _serve(self) -> None:
        """Take jobs until the worker is to end, or the control database cannot be reached."""
        is_direct = await self._blocking.run(self._prepare)
        self.trouble(
            ""
            if is_direct
            else "a pooler is between: nothing tells of new jobs, they are asked for"
        )
        queue = Queue(self._control, _CONNECTIONS)
        for name, do in ((SLOT, self._jobs.slot), (JUDGE, self._jobs.judge)):
            queue.app.task(name=name, pass_context=True, retry=_Again())(_task(self, queue, do))
        async with queue.app.open_async():
            if self._blocking.is_ending:  # a signal came meanwhile
                return
            self._serving = asyncio.ensure_future(
                queue.app.run_worker_async(
                    queues=[self._name],
                    concurrency=self._at_once,
                    fetch_job_polling_interval=self._pace.poll_s,
                    abort_job_polling_interval=self._pace.poll_s,
                    listen_notify=is_direct,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    update_heartbeat_interval=self._pace.heartbeat_s,
                    stalled_worker_timeout=self._pace.dead_s,
                )
            )
            sweeping = asyncio.ensure_future(self._sweep(queue))
            try:
                await self._serving
            except asyncio.CancelledError:
                if not self._blocking.is_ending:
                    raise
            finally:
                await cancel(sweeping)

    def _prepare(self) -> bool:
        """Make the queue where there is none; return whether no pooler is between.

        A pooler would not tell us of new jobs.
        """
        try:
            with open_control(self._control) as session:
                ensure_tables(session)
                bring_up_to_date(session)
                (own,) = session.run("select pg_catalog.pg_backend_pid()")
                return own.rows[0][0] == str(session.connection.info.backend_pid)
        except (ConnectError, ConnectionLost) as exc:
            raise ConnectorException(str(exc)) from None

    async def _sweep(self, queue: Queue) -> None:
        """Again and again, look for what nobody is at."""
        while True:
            try:
                await self._take_over(queue)
                async with queue.transaction() as asking:
                    under_way = await asking.under_way(self._name)
                    for number in under_way:
                        await asking.feed(number)
                    await asking.end_lost(self._name)
                    others = await asking.elsewhere(self._fleet, self._name)
                if others and not under_way:
                    self.trouble(
                        f"rollout {others[0]} of {self._fleet} is under way with other files, or "
                        "another list of databases: a worker that has those does it"
                    )
                self._let_go(under_way)
            except AWAY:
                pass  # which the worker itself finds, too
            except psycopg.Error as exc:
                self.trouble(f"the control database refuses this: {_first_line(exc)}")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.sweep_s):
                    await self._jobs.has_ended.wait()
            self._jobs.has_ended.clear()

    async def _take_over(self, queue: Queue) -> None:
        """Have the jobs of workers that have died done again, and those that we have lost."""
        manager = queue.app.job_manager
        stalled = await manager.get_stalled_jobs(
            queue=self._name, seconds_since_heartbeat=self._pace.dead_s
        )
        lost: set[int] = set()
        for worker in self._workers:
            doing = await manager.list_jobs_async(
                queue=self._name, status="doing", worker_id=worker
            )
            lost |= {job.id for job in doing if job.id is not None} - self._mine
        again = {job.id for job in stalled if job.id is not None} | (lost & self._forgotten)
        self._forgotten = lost
        for number in again - self._mine:
            with suppress(ConnectorException):  # another worker was quicker
                await manager.retry_job_by_id_async(number, _NOW)

    def _let_go(self, under_way: Collection[int]) -> None:
        """End the processes for rollouts that have ended; and the worker, where it is to."""
        if not self._mine:
            self._jobs.let_go(under_way)
        if self._once and not under_way and not self._blocking.is_ending:
            self.end()


def _is_away(exc: Exception) -> str:
    code = getattr(exc.__cause__ or exc, "sqlstate", None)
    does = "is away" if code is None or code[:2] in _GONE else "refuses this"
    return f"the control database {does}: {_first_line(exc)}"


def _first_line(exc: Exception) -> str:
    said = str(exc.__cause__ or exc).strip().splitlines()
    return said[0] if said else type(exc).__name__


def _task(
    worker: QueueWorker, queue: Queue, do: Callable[..., Awaitable[None]]
) -> Callable[..., Awaitable[None]]:
    """Return a task that the worker knows itself to be at while it runs."""

    async def task(context: JobContext, **arguments: Any) -> None:
        number = context.job.id
        assert number is not None
        worker.begin(number, context.job.worker_id)
        try:
            await do(queue, context, **arguments)
            worker.trouble("")
        except Unfinished:
            raise
        except VouchError as exc:
            worker.trouble(f"{exc.message}; tried again")
            raise
        except AWAY as exc:
            worker.trouble(_is_away(exc))
            raise
        except Exception as exc:
            worker.trouble(f"a job has failed, and is done again: {type(exc).__name__}")
            raise
        finally:
            worker.leave(number)

    return task
