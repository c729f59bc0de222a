"""What a worker does for a job: it works on databases of a server, or judges a wave."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from procrastinate import JobContext

from pgvouch.errors import UsageError
from pgvouch.fleet.between import Asks, Between
from pgvouch.fleet.blocking import Blocking, Unfinished
from pgvouch.fleet.listing import Listing
from pgvouch.fleet.one_database import Order
from pgvouch.fleet.queue import AGAIN_S, AWAY, Asking, Claim, Queue, Queued
from pgvouch.fleet.rollout import NOT_LISTED, ROUNDS
from pgvouch.fleet.target import Job, Result, State, Target
from pgvouch.fleet.waves import Budget, Wave
from pgvouch.fleet.work import Work

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
_NEW = "new"
"""The wave of databases that were made meanwhile, or are in the list again."""


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


class Jobs:
    """Does the jobs of a worker."""

    def __init__(
        self,
        listing: Listing,
        order: Callable[[Queued], Order],
        at_once: int,
        *,
        tell: Callable[[Taken | Judged | Asks], None],
        between: Callable[[int, threading.Event], Between],
        blocking: Blocking,
    ) -> None:
        """Say how.

        Args:
            listing: knows where the databases are.
            order: says what is to be done for a rollout.
            at_once: how many databases at once.
            tell: is told what happens.
            between: returns what is asked behind each wave of a rollout whether it goes on; it
                ends when the event is set.
            blocking: runs what blocks.
        """
        self._listing, self._order, self._at_once = listing, order, at_once
        self._tell, self._between, self._blocking = tell, between, blocking
        self._rollouts: dict[int, _Rolled] = {}
        self._halts: set[threading.Event] = set()
        """Each ends a gate that is asked."""
        self.has_ended = asyncio.Event()
        """A rollout has: there may be nothing left to do."""

    def end(self) -> None:
        """End when the databases that are under way are done; what is asked, another asks again."""
        for halt in self._halts:
            halt.set()

    def end_at_once(self) -> None:
        """Cancel what is under way: it is rolled back."""
        for rolled in self._rollouts.values():
            rolled.work.end(at_once=True)

    def let_go(self, under_way: Collection[int]) -> None:
        """End the processes for rollouts that have ended.

        Args:
            under_way: the rollouts that have not.
        """
        for number in set(self._rollouts) - set(under_way):
            self._rollouts.pop(number).work.end(at_once=False)

    async def slot(
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
        unwritten: list[tuple[Result, Claim]] = []
        goes_on = bool(taken)
        try:
            while taken and goes_on and not self._blocking.is_ending:
                some_s = time.monotonic()
                await self._some(queue, queued, taken, unwritten)
                count, now_s = len(unwritten), time.monotonic()
                each_s = max((now_s - some_s) / max(count, 1), 0.001)
                take = None
                if not taken and now_s - began_s <= _SLICE_S:
                    least, most = (max(1, min(_AT_ONCE, int(s / each_s))) for s in _TOGETHER_S)
                    take = _Take(server, job, most, least)
                goes_on, more = await _write(queue, queued, unwritten, take)
                done += [result for result, _ in unwritten]
                unwritten.clear()
                taken = taken or more
        finally:
            if unwritten:
                await _write(queue, queued, unwritten)
            if done or unwritten:
                name, _ = queued.waves[wave]
                told = (*done, *(result for result, _ in unwritten))
                self._tell(Taken(rollout, name, told, time.monotonic() - began_s))
            if taken:
                async with queue.transaction() as asking:
                    await asking.give_back(rollout, taken)
        async with queue.transaction() as asking:
            queued = await asking.find(rollout)
            if queued.wave == wave and queued.rollout.ended_at is None:
                if goes_on and not self._blocking.is_ending:
                    await asking.add_job_if_wanted(queued, server, slot, 1 - turn)
                await asking.have_judged(queued)
        if goes_on and self._blocking.is_ending:
            raise Unfinished

    async def _some(
        self,
        queue: Queue,
        queued: Queued,
        taken: dict[str, Claim],
        results: list[tuple[Result, Claim]],
    ) -> None:
        """Work on databases that were taken, and add what became of them, up to a failure."""
        while taken and not self._blocking.is_ending:
            name, claim = next(iter(taken.items()))
            try:
                result = await self._one(queue, queued, name, claim)
            finally:  # of what is interrupted in it, the next has to find out how far it came
                del taken[name]
            results.append((result, claim))
            if not result.is_well:
                return

    async def _one(self, queue: Queue, queued: Queued, name: str, claim: Claim) -> Result:
        """Work on a database.

        Raises:
            Unfinished: this worker has to end; what has landed until now stays.
        """
        rolled = self._rolled(queued)
        target = await self._target(rolled, name)
        if target is None:
            return Result(name, State.GONE, cause=NOT_LISTED)
        doing = asyncio.ensure_future(rolled.work.do(Job(target, claim.is_again)))
        try:
            result = await asyncio.shield(doing)
        except asyncio.CancelledError:  # the rollout was cancelled, with what is under way
            while not doing.done():  # it may be between two statements
                rolled.work.cancel(name)
                await asyncio.wait([doing], timeout=_CANCEL_AGAIN_S)
            await _write(queue, queued, [(await doing, claim)])
            raise
        if result.state is State.LEFT:
            raise Unfinished
        return result

    def _rolled(self, queued: Queued) -> _Rolled:
        number = queued.rollout.id
        if number not in self._rollouts:
            self._rollouts[number] = _Rolled(Work(self._order(queued), self._at_once))
        return self._rollouts[number]

    async def _target(self, rolled: _Rolled, name: str) -> Target | None:
        """Return where a database is, by the list as it is now, or was a minute ago."""
        async with rolled.listing:
            is_old = time.monotonic() - rolled.listed_at_s > _LISTED_S
            if is_old or name not in rolled.named:
                targets = await self._blocking.run(self._listing.targets)
                if not targets:
                    raise UsageError("the list of databases is empty, and a rollout is under way")
                rolled.named = {target.name: target for target in targets}
                rolled.listed_at_s = time.monotonic()
        return rolled.named.get(name)

    async def judge(self, queue: Queue, _context: JobContext, rollout: int, wave: int) -> None:
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
        listed = await self._blocking.run(self._listing.targets)
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
            known = await asking.names(rollout, but_for=NOT_LISTED) if looks else set()
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
                self._tell(Judged(rollout, name, "went well"))
                return
        self.has_ended.set()

    async def _ask(self, rollout: int, wave: Wave, results: Sequence[Result]) -> str | None:
        """Ask behind a wave until there is an answer, the worker has to end, or it is cancelled."""
        halt = threading.Event()
        self._halts.add(halt)
        try:
            if self._blocking.is_ending:
                raise Unfinished
            return await self._blocking.run(self._between(rollout, halt), wave, results)
        finally:
            self._halts.discard(halt)
            halt.set()

    async def _stop(self, asking: Asking, queued: Queued, outcome: str) -> None:
        await asking.stop(queued, outcome)
        await asking.forget_jobs(queued.queue)
        name, _ = queued.waves[queued.wave]
        self._tell(Judged(queued.rollout.id, name, outcome))


async def _write(
    queue: Queue,
    queued: Queued,
    results: Sequence[tuple[Result, Claim]],
    take: _Take | None = None,
) -> tuple[bool, dict[str, Claim]]:
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
        wait=wait_fixed(AGAIN_S),
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
