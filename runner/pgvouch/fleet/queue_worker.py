"""Takes the jobs of a queue: databases that are to be worked on, waves that are to be judged."""

import asyncio
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeAlias, TypeVar

import psycopg
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import ConnectorException

from pgvouch.errors import ConnectError, UsageError, VouchError
from pgvouch.fleet.between import Asks, Between, Halted
from pgvouch.fleet.listing import Listing
from pgvouch.fleet.one_database import Order
from pgvouch.fleet.queue import JUDGE, SLOT, Asking, Queue, Queued
from pgvouch.fleet.queue_schema import bring_up_to_date
from pgvouch.fleet.rollout import ROUNDS
from pgvouch.fleet.slots import cancel
from pgvouch.fleet.store import ensure_tables, open_control
from pgvouch.fleet.target import Job, Result, State, Target
from pgvouch.fleet.waves import Budget, Wave
from pgvouch.fleet.work import Work
from pgvouch.postgres.session import ConnectionLost

_CONNECTIONS = 3
"""To the control database, and one that listens."""
_AGAIN_S = 2.0
"""Between two attempts to reach the control database."""
_LISTED_S = 60.0
"""For how long a list of databases is taken to be true."""
_CANCEL_AGAIN_S = 0.2
_TOGETHER_S = (0.06, 2.0)
"""How long the databases take that are taken, and whose results are written, together: at least,
for to take them takes time, too, and at most."""
_AT_ONCE = 50
_SLICE_S = 15.0
"""After which a job takes no more: then a worker that has come since has its turn."""
_KEPT_S = 120.0
"""For how long a result is kept while the control database is away; then only the ledger has it."""
_NOW = datetime.fromtimestamp(0, UTC)
"""Our clock may be ahead of the server's."""
_NOT_LISTED = "the list of databases does not have it any more"
_NEW = "new"
"""The wave of databases that were made meanwhile, or are in the list again."""
AWAY = (
    ConnectorException,
    psycopg.OperationalError,
    psycopg.errors.IdleInTransactionSessionTimeout,
)
"""The control database cannot be reached."""


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
class Taken:
    """A job with databases has ended."""

    rollout: int
    wave: str
    results: tuple[Result, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A wave was judged."""

    rollout: int
    wave: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something keeps the worker from working, for now."""

    said: str


_Found = TypeVar("_Found")
_Given = ParamSpec("_Given")
Event: TypeAlias = Taken | Judged | Trouble | Asks


class _Unfinished(Exception):  # noqa: N818 - it is no mistake
    """A job is to be done again, by whoever takes it."""


class _Again(BaseRetryStrategy):
    """Has a job done again whatever ended it: what it has done stays done."""

    def get_retry_decision(self, *, exception: BaseException, job: Any) -> RetryDecision:
        """Return when."""
        if isinstance(exception, _Unfinished):
            return RetryDecision(retry_at=_NOW)
        return RetryDecision(retry_in={"seconds": min(60, 2 + 2 * job.attempts)})


@dataclass
class _Rolled:
    """A rollout that this worker works on."""

    work: Work
    named: dict[str, Target] = field(default_factory=dict)
    listed_at_s: float = -_LISTED_S
    listing: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class _Take:
    """How many databases of a server are taken for a job."""

    server: str
    job: int
    most: int
    least: int


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
        self._listing, self._order, self._name = listing, order, queue
        self._control, self._jobs, self.tell, self._between = control, jobs, tell, between
        self._pace, self._once = pace, once
        self._rollouts: dict[int, _Rolled] = {}
        self._mine: set[int] = set()
        """The jobs that this worker is at."""
        self._workers: set[int] = set()
        """What procrastinate calls this worker, now and before."""
        self._forgotten: set[int] = set()
        """Jobs that it should be at, and was not when it looked last."""
        self._serving: asyncio.Task[None] | None = None
        self._is_ending = False
        self._halts: set[threading.Event] = set()
        """Each ends a gate that is asked."""
        self._apart: set[asyncio.Future[Any]] = set()
        """What runs in threads."""
        self._told = ""
        """The trouble that was told last."""
        self._has_ended = asyncio.Event()
        """A rollout has: there may be nothing left to do."""

    def run(self) -> None:
        """Work until a signal comes, or nothing is left to do.

        Raises:
            VouchError: the queue is not to be believed, or is not what this procrastinate knows.
        """
        try:
            asyncio.run(self._run())
        finally:
            for rolled in self._rollouts.values():
                rolled.work.end(at_once=True)

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
        if self._is_ending:
            self._end_at_once()
            return
        self._is_ending = True
        for halt in self._halts:
            halt.set()  # another worker asks again
        if self._serving is not None:
            self._serving.cancel()
        asyncio.get_running_loop().call_later(self._pace.grace_s, self._end_at_once)

    def trouble(self, said: str) -> None:
        """Tell of trouble, once for as long as it is the same; nothing: it is over."""
        if said and said != self._told:
            self.tell(Trouble(said))
        self._told = said

    def _end_at_once(self) -> None:
        for each in self._apart:
            each.cancel()
        for rolled in self._rollouts.values():
            rolled.work.end(at_once=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._unforeseen)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.end)
        while not self._is_ending:
            try:
                await self._serve()
            except AWAY as exc:
                self.trouble(_is_away(exc))
                await asyncio.sleep(_AGAIN_S)
            except _Unfinished:
                return

    def _unforeseen(self, _loop: object, context: dict[str, Any]) -> None:
        """Tell of what nobody waits for; a job that others took over cannot be ended again."""
        exc = context.get("exception")
        if not isinstance(exc, ConnectorException):
            said = context.get("message", "")
            self.trouble(f"unforeseen: {type(exc).__name__}: {said}")

    async def _serve(self) -> None:
        """Take jobs until the worker is to end, or the control database cannot be reached."""
        is_direct = await self._blocking(self._prepare)
        self.trouble(
            ""
            if is_direct
            else "a pooler is between: nothing tells of new jobs, they are asked for"
        )
        queue = Queue(self._control, _CONNECTIONS)
        for name, do in ((SLOT, self._slot), (JUDGE, self._judge)):
            queue.app.task(name=name, pass_context=True, retry=_Again())(_task(self, queue, do))
        async with queue.app.open_async():
            if self._is_ending:  # a signal came meanwhile
                return
            self._serving = asyncio.ensure_future(
                queue.app.run_worker_async(
                    queues=[self._name],
                    concurrency=self._jobs,
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
                if not self._is_ending:
                    raise
            finally:
                await cancel(sweeping)

    async def _blocking(
        self, do: Callable[_Given, _Found], *given: _Given.args, **named: _Given.kwargs
    ) -> _Found:
        """Run what blocks in a thread, which keeps no process from ending.

        Raises:
            _Unfinished: this worker has to end, and does not wait for it.
        """
        ended: Future[_Found] = Future()

        def run() -> None:
            try:
                ended.set_result(do(*given, **named))
            except BaseException as exc:
                ended.set_exception(exc)

        ended.set_running_or_notify_cancel()
        threading.Thread(target=run, daemon=True).start()
        waited = asyncio.wrap_future(ended)
        self._apart.add(waited)
        try:
            return await waited
        except (asyncio.CancelledError, Halted):
            if self._is_ending:
                raise _Unfinished from None
            raise
        finally:
            self._apart.discard(waited)

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
                self._let_go(under_way)
            except AWAY:
                pass  # which the worker itself finds, too
            except psycopg.Error as exc:
                self.trouble(f"the control database refuses this: {_first_line(exc)}")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.sweep_s):
                    await self._has_ended.wait()
            self._has_ended.clear()

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
        for number in set(self._rollouts) - set(under_way):
            if not self._mine:
                self._rollouts.pop(number).work.end(at_once=False)
        if self._once and not under_way and not self._is_ending:
            self.end()

    async def _slot(
        self,
        queue: Queue,
        context: JobContext,
        rollout: int,
        wave: int,
        server: str,
        slot: int,
        turn: int,
    ) -> None:
        """Work on databases of one server, one after the other, for a while."""
        began_s = time.monotonic()
        job = context.job.id
        assert job is not None
        async with queue.transaction() as asking:
            queued = await asking.find(rollout)
            taken = await asking.claim(queued, server, job, 1) if queued.wave == wave else {}
        done: list[Result] = []
        unwritten: list[Result] = []
        goes_on = bool(taken)
        try:
            while taken and goes_on and not self._is_ending:
                some_s = time.monotonic()
                await self._some(queue, queued, taken, unwritten)
                count, now_s = len(unwritten), time.monotonic()
                each_s = max((now_s - some_s) / max(count, 1), 0.001)
                take = None
                if not taken and now_s - began_s <= _SLICE_S:
                    least, most = (max(1, min(_AT_ONCE, int(s / each_s))) for s in _TOGETHER_S)
                    take = _Take(server, job, most, least)
                goes_on, more = await _write(queue, queued, unwritten, take)
                done += unwritten
                unwritten.clear()
                taken = taken or more
        finally:
            if unwritten:
                await _write(queue, queued, unwritten)
            if done or unwritten:
                name, _ = queued.waves[wave]
                told = (*done, *unwritten)
                self.tell(Taken(rollout, name, told, time.monotonic() - began_s))
            if taken:
                async with queue.transaction() as asking:
                    await asking.give_back(rollout, job, taken)
        async with queue.transaction() as asking:
            queued = await asking.find(rollout)
            if queued.wave == wave and queued.rollout.ended_at is None:
                if goes_on and not self._is_ending:
                    await asking.add_job_if_wanted(queued, server, slot, 1 - turn)
                await asking.have_judged(queued)
        if goes_on and self._is_ending:
            raise _Unfinished

    async def _some(
        self, queue: Queue, queued: Queued, taken: dict[str, bool], results: list[Result]
    ) -> None:
        """Work on databases that were taken, and add what became of them, up to a failure."""
        while taken and not self._is_ending:
            name = next(iter(taken))
            try:
                result = await self._one(queue, queued, name, is_again=taken[name])
            finally:  # of what is interrupted in it, the next has to find out how far it came
                del taken[name]
            results.append(result)
            if not result.is_well:
                return

    async def _one(self, queue: Queue, queued: Queued, name: str, *, is_again: bool) -> Result:
        """Work on a database.

        Raises:
            _Unfinished: this worker has to end; what has landed until now stays.
        """
        rolled = self._rolled(queued)
        target = await self._target(rolled, name)
        if target is None:
            return Result(name, State.GONE, cause=_NOT_LISTED)
        doing = asyncio.ensure_future(rolled.work.do(Job(target, is_again)))
        try:
            result = await asyncio.shield(doing)
        except asyncio.CancelledError:  # the rollout was cancelled, with what is under way
            while not doing.done():  # it may be between two statements
                rolled.work.cancel(name)
                await asyncio.wait([doing], timeout=_CANCEL_AGAIN_S)
            await _write(queue, queued, [await doing])
            raise
        if result.state is State.LEFT:
            raise _Unfinished
        return result

    def _rolled(self, queued: Queued) -> _Rolled:
        number = queued.rollout.id
        if number not in self._rollouts:
            self._rollouts[number] = _Rolled(Work(self._order(queued), self._jobs))
        return self._rollouts[number]

    async def _target(self, rolled: _Rolled, name: str) -> Target | None:
        """Return where a database is, by the list as it is now, or was a minute ago."""
        async with rolled.listing:
            is_old = time.monotonic() - rolled.listed_at_s > _LISTED_S
            if is_old or name not in rolled.named:
                targets = await self._blocking(self._listing.targets)
                if not targets:
                    raise UsageError("the list of databases is empty, and a rollout is under way")
                rolled.named = {target.name: target for target in targets}
                rolled.listed_at_s = time.monotonic()
        return rolled.named.get(name)

    async def _judge(self, queue: Queue, _context: JobContext, rollout: int, wave: int) -> None:
        """Stop a rollout, end it, or begin its next wave."""
        async with queue.transaction() as asking:
            queued = await asking.find(rollout)
            if queued.wave != wave or queued.rollout.ended_at is not None:
                return
            is_open, failed = await asking.stands(queued)
            name, may_fail = queued.waves[wave]
            if failed > may_fail:
                await self._stop(asking, queued, f"stopped in {name}")
                return
            if is_open:
                return
            results = await asking.wave_results(queued)
        # What may take its time keeps no row locked.
        is_last = wave == len(queued.waves) - 1
        listed = await self._blocking(self._listing.targets)
        there = {result.target for result in results}
        members = tuple(target for target in listed if target.name in there)
        judged = Wave(name, members, may_fail, is_last=is_last)
        reason, goes_forward = None, queued.rollout.action == "migrate"
        if goes_forward:
            reason = await self._ask(rollout, judged, results)
        rounds = sum(each == _NEW for each, _ in queued.waves)
        looks = is_last and goes_forward and rounds < ROUNDS
        async with queue.transaction() as asking:
            queued = await asking.find(rollout)
            if queued.wave != wave or queued.rollout.ended_at is not None:
                return
            known = await asking.names(rollout, but_for=_NOT_LISTED) if looks else set()
            new = [target for target in listed if looks and target.name not in known]
            if reason is not None:
                await self._stop(asking, queued, f"stopped in {name}: {reason}")
            elif new:
                await asking.add_targets(rollout, [(wave + 1, new)])
                may_fail = Budget.of(queued.said.max_failures).among(len(new))
                await asking.go_on(queued, [(_NEW, may_fail)])
            elif is_last:
                await self._stop(asking, queued, "done")
            else:
                await asking.go_on(queued)
                self.tell(Judged(rollout, name, "went well"))
                return
        self._has_ended.set()

    async def _ask(self, rollout: int, wave: Wave, results: Sequence[Result]) -> str | None:
        """Ask behind a wave until there is an answer, the worker has to end, or it is cancelled."""
        halt = threading.Event()
        self._halts.add(halt)
        try:
            if self._is_ending:
                raise _Unfinished
            return await self._blocking(self._between(rollout, halt), wave, results)
        finally:
            self._halts.discard(halt)
            halt.set()

    async def _stop(self, asking: Asking, queued: Queued, outcome: str) -> None:
        await asking.stop(queued, outcome)
        await asking.forget_jobs(queued.queue)
        name, _ = queued.waves[queued.wave]
        self.tell(Judged(queued.rollout.id, name, outcome))


def _is_away(exc: Exception) -> str:
    return f"the control database is away: {_first_line(exc)}"


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
        except _Unfinished:
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


async def _write(
    queue: Queue, queued: Queued, results: Sequence[Result], take: _Take | None = None
) -> tuple[bool, dict[str, bool]]:
    """Write down what became of databases, as soon as the control database is there.

    Args:
        queue: on which it is.
        queued: the rollout.
        results: of databases of its wave.
        take: which others are taken then; None: none.

    Returns:
        Whether it goes on, and those that were taken.
    """
    from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

    _, may_fail = queued.waves[queued.wave]
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(AWAY),
        wait=wait_fixed(_AGAIN_S),
        stop=stop_after_delay(_KEPT_S),
        reraise=True,
    ):
        with attempt:
            async with queue.transaction() as asking:
                is_live, failed = await asking.put(queued, results)
                goes_on = is_live and failed <= may_fail
                if take is None or not goes_on:
                    return goes_on, {}
                return goes_on, await asking.claim(
                    queued, take.server, take.job, take.most, take.least
                )
    raise AssertionError("it returns or raises")
