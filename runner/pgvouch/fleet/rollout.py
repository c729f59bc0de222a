"""One thing done in all databases of a fleet: in waves, within a budget of failures."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace

from pgvouch.errors import Interrupted, UsageError
from pgvouch.fleet.between import Asks, Between, goes_on
from pgvouch.fleet.listing import Listing
from pgvouch.fleet.one_database import Order
from pgvouch.fleet.slots import Slots, each, run, slots_of
from pgvouch.fleet.store import Rollout, Store
from pgvouch.fleet.target import Job, Result, State, Target
from pgvouch.fleet.waves import Wave, waves_of
from pgvouch.fleet.work import Work

ROUNDS = 3
"""How often the list is read again: databases are made from the template meanwhile."""
NOT_LISTED = "the list of databases does not have it any more"
_LOOKS = {"verify", "drift"}


@dataclass(frozen=True, slots=True)
class Began:
    """A wave begins."""

    wave: str
    databases: int
    may_fail: int
    of_all: int = 0
    """How many databases all waves have, as far as is known."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Something has become of a database."""

    wave: str
    result: Result
    done: int
    of: int
    """How many of the wave are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Nothing has ended for a second."""

    wave: str
    databases: int
    """How many are worked on."""
    longest: str
    """The one of them that has taken the longest until now."""
    seconds: float
    """For how long."""
    done: int
    of: int
    """How many of the wave are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """More has failed than may, or what is asked behind a wave says no: nothing new is begun."""

    wave: str
    failed: int
    may_fail: int
    reason: str | None = None
    """What was said behind the wave; None: too many have failed."""


Event = Began | Ended | UnderWay | Stopped | Asks


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a fleet."""

    results: tuple[Result, ...]
    stopped_in: str | None = None
    """The wave in which it was stopped; None: it went through."""
    reason: str | None = None
    """What was said behind that wave; None: too many have failed in it."""
    number: int = 0
    """Of the rollout, as it is written down; 0: it is not."""
    action: str = ""
    """`migrate` or `rollback`, of what is written down."""

    @property
    def is_lost(self) -> bool:
        """Whether none of the databases is there: it is the list, or the URL, that is wrong."""
        return bool(self.results) and self.count(State.GONE) == len(self.results)

    @property
    def failed(self) -> tuple[Result, ...]:
        """Those that failed."""
        return tuple(r for r in self.results if not r.is_well and r.state is not State.LEFT)

    def count(self, *states: State) -> int:
        """Return how many databases are in one of these states."""
        return sum(result.state in states for result in self.results)

    @property
    def by_cause(self) -> list[tuple[State, str, tuple[str, ...]]]:
        """What is worth a word, grouped by state and cause, the most frequent first.

        Those that failed or are gone, and those that are well with a reservation.
        """
        groups: dict[tuple[State, str], list[str]] = {}
        others = (
            result
            for result in self.results
            if result.state is State.GONE or (result.state is State.CURRENT and result.cause)
        )
        for result in (*self.failed, *others):
            groups.setdefault((result.state, result.cause or ""), []).append(result.target)
        ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
        return [(state, cause, tuple(sorted(names))) for (state, cause), names in ordered]

    @property
    def by_version(self) -> list[tuple[str | None, int]]:
        """How many databases are at which version, as far as that is known; most first."""
        known = Counter(r.version for r in self.results if r.state not in {State.LEFT, State.DOWN})
        return known.most_common()


def not_listed(names: Collection[str], targets: Collection[Target]) -> list[Result]:
    """Return what becomes of databases that the list of them does not have any more: nothing."""
    listed = {target.name for target in targets}
    return [
        Result(name, State.GONE, cause=NOT_LISTED) for name in sorted(names) if name not in listed
    ]


def no_databases(fleet: str) -> UsageError:
    """Return the error for a fleet without any."""
    return UsageError(
        f"the fleet {fleet} has no databases to work on",
        hint=f"pgvouch fleet status {fleet} --json lists them; look at what says which they are",
    )


class Rolling:
    """A rollout that is under way."""

    def __init__(
        self,
        listing: Listing,
        order: Order,
        tell: Callable[[Event], None],
        store: Store | None = None,
        between: Between = goes_on,
    ) -> None:
        """Say what is to be done.

        Args:
            listing: where.
            order: what, in each database.
            tell: is told what happens.
            store: where it is written down; None: nowhere.
            between: is told of each wave that went through; a reason stops it there.
        """
        self._listing, self._order, self._tell = listing, order, tell
        self._store, self._between = store, between
        self._rollout: Rollout | None = None
        self._outcome = "interrupted"
        self._of_all = 0
        self._results: dict[str, Result] = {}

    @property
    def number(self) -> int:
        """As it is written down; 0: it is not."""
        return self._rollout.id if self._rollout else 0

    def run(self, among: Collection[str] | None = None) -> Summary:
        """Do it.

        Args:
            among: the only databases in which it is done; None: all. What the list does not have
                any more is told as gone.

        Raises:
            UsageError: there is no database.
            VouchError: the list cannot be read. What fails in a database is a result.
        """
        settings = self._listing.settings
        targets = [t for t in self._listing.targets() if among is None or t.name in among]
        gone = not_listed(among or (), targets)
        if not targets and not gone:
            raise no_databases(settings.name)
        if self._order.action in _LOOKS:
            waves = [Wave("all", tuple(targets), len(targets))] if targets else []
        else:
            waves = waves_of(targets, settings.waves, settings.budget)
        self._of_all = len(targets)
        slots = slots_of(targets, settings.jobs, settings.per_server)
        with self._written() as order:
            self._results.update({result.target: result for result in gone})
            self._write(0, gone)
            with asyncio.Runner() as runner, Work(order, slots.jobs) as work:
                stopped = self._run(waves, Going(runner, work, slots), is_all=among is None)
            self._outcome = f"stopped in {stopped[0]}" if stopped else "done"
        stopped_in, reason = stopped or (None, None)
        written = (self.number, order.action)
        return Summary(tuple(self._results.values()), stopped_in, reason, *written)

    @contextmanager
    def _written(self) -> Iterator[Order]:
        """Write down that the rollout begins and how it has ended, where that is wanted.

        Yields:
            What is to be done: with the rollout's mark for the log of each ledger.
        """
        order = self._order
        if self._store is None:
            yield order
            return
        with self._store.begin(order.action, order.to) as self._rollout:
            options = replace(order.options, comment=self._rollout.comment)
            try:
                yield replace(order, options=options)
            except Interrupted as exc:
                exc.state = self._interrupted()
                raise
            finally:
                self._store.end(self._rollout.id, self._outcome)

    def _interrupted(self) -> str:
        """Return how far it has come, for whoever has ended it."""
        done = [result for result in self._results.values() if result.state is State.DONE]
        rest = self._of_all - len(self._results)
        return (
            f"rollout {self.number}: {len(done)} of {self._of_all} databases done, "
            f"{rest} under way or not begun; what ran was rolled back."
        )

    def _run(
        self, waves: Sequence[Wave], going: "Going", *, is_all: bool
    ) -> tuple[str, str | None] | None:
        """Return the wave in which it was stopped, and why; None where it went through."""
        for number, wave in enumerate(waves):
            if stopped := self._wave(number, wave, going):
                for position, left in enumerate(waves[number + 1 :], start=number + 1):
                    self._leave(position, left)
                return wave.name, stopped.reason
        if is_all and self._order.action == "migrate":
            return self._run_new(len(waves), going)
        return None

    def _run_new(self, begun: int, going: "Going") -> tuple[str, str | None] | None:
        """Go on with databases that were made meanwhile, until there are no new ones."""
        settings = self._listing.settings
        for number in range(begun, begun + ROUNDS):
            new = [t for t in self._listing.targets() if t.name not in self._results]
            if not new:
                return None
            self._of_all += len(new)
            going.slots.per_server.update(
                slots_of(new, settings.jobs, settings.per_server).per_server
            )
            wave = Wave("new", tuple(new), settings.budget.among(len(new)), is_last=True)
            if stopped := self._wave(number, wave, going):
                return wave.name, stopped.reason
        return None

    def _wave(self, number: int, wave: Wave, going: "Going") -> "_Stop | None":
        """Do it in the databases of a wave."""
        self._tell(Began(wave.name, len(wave.targets), wave.may_fail, self._of_all))
        # What is killed from here on has begun with some of them.
        self._write(number, [Result(target.name, State.BEGUN) for target in wave.targets])
        ended: list[Result] = []
        try:
            run(going.runner, self._do(wave, going, ended))
        finally:
            self._write(number, ended)
        failed = sum(not result.is_well for result in ended if result.state is not State.LEFT)
        if failed > wave.may_fail:
            self._tell(Stopped(wave.name, failed, wave.may_fail))
            return _Stop()
        if (reason := self._between(wave, ended)) is None:
            return None
        self._tell(Stopped(wave.name, failed, wave.may_fail, reason))
        return _Stop(reason)

    async def _do(self, wave: Wave, going: "Going", ended: list[Result]) -> None:
        failed = 0

        def is_within(result: Result) -> bool:
            nonlocal failed
            failed += not result.is_well
            return failed <= wave.may_fail

        began_s: dict[str, float] = {}

        async def do(job: Job) -> Result:
            began_s[job.target.name] = time.monotonic()
            try:
                return await going.work.do(job)
            finally:
                del began_s[job.target.name]

        def tell_idle() -> None:
            longest = next(iter(began_s))
            seconds = time.monotonic() - began_s[longest]
            at_work = (len(began_s), longest, seconds)
            self._tell(UnderWay(wave.name, *at_work, len(ended), len(wave.targets)))

        jobs = [Job(target) for target in wave.targets]
        async with aclosing(each(jobs, going.slots, do, is_within, tell_idle)) as results:
            async for result in results:
                ended.append(result)
                self._results[result.target] = result
                if result.state is not State.LEFT:
                    self._tell(Ended(wave.name, result, len(ended), len(wave.targets)))

    def _leave(self, number: int, wave: Wave) -> None:
        left = [Result(target.name, State.LEFT) for target in wave.targets]
        self._results.update({result.target: result for result in left})
        self._write(number, left)

    def _write(self, number: int, results: Sequence[Result]) -> None:
        if self._store and self._rollout:
            self._store.put(self._rollout.id, number, *results)


@dataclass(frozen=True, slots=True)
class Going:
    """What all waves share: one loop of events, and what works on databases."""

    runner: asyncio.Runner
    work: Work
    slots: Slots


@dataclass(frozen=True, slots=True)
class _Stop:
    """A rollout is to stop."""

    reason: str | None = None
    """What the check behind the wave has found; None: too many have failed."""
