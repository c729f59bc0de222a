"""One thing done in all databases of a fleet: in waves, within a budget of failures."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pgvouch.errors import VouchError
from pgvouch.fleet.between import Asks, Between
from pgvouch.fleet.listing import Listing
from pgvouch.fleet.look import Slots, look
from pgvouch.fleet.password import reached
from pgvouch.fleet.pool import Pool
from pgvouch.fleet.settings import FleetSettings
from pgvouch.fleet.store import Store
from pgvouch.fleet.target import Result, State, Target
from pgvouch.fleet.waves import Wave, waves_of
from pgvouch.fleet.worker import Job, Order
from pgvouch.postgres.reach import open_session
from pgvouch.postgres.session import QueryError
from pgvouch.sqltext.own import own_query

_ROUNDS = 3
"""How often the list is read again: databases are made from the template meanwhile."""
_LOOKS = {"verify", "drift"}
_SHARE = 4
"""A server's free connections are divided by this: the application needs some, too."""


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
class Stopped:
    """More has failed than may, or what is asked behind a wave says no: nothing new is begun."""

    wave: str
    failed: int
    may_fail: int
    reason: str | None = None
    """What was said behind the wave; None: too many have failed."""


Event = Began | Ended | Stopped | Asks


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a fleet."""

    results: tuple[Result, ...]
    stopped_in: str | None = None
    """The wave in which it was stopped; None: it went through."""
    reason: str | None = None
    """What was said behind that wave; None: too many have failed in it."""

    @property
    def failed(self) -> tuple[Result, ...]:
        """Those that failed."""
        return tuple(r for r in self.results if not r.is_well and r.state is not State.LEFT)

    def count(self, *states: State) -> int:
        """Return how many databases are in one of these states."""
        return sum(result.state in states for result in self.results)

    @property
    def by_cause(self) -> list[tuple[State, str, tuple[str, ...]]]:
        """Those that failed, grouped by state and cause, the most frequent first."""
        groups: dict[tuple[State, str], list[str]] = {}
        for result in self.failed:
            groups.setdefault((result.state, result.cause or ""), []).append(result.target)
        ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
        return [(state, cause, tuple(sorted(names))) for (state, cause), names in ordered]

    @property
    def by_version(self) -> list[tuple[str | None, int]]:
        """How many databases are at which version, as far as that is known; most first."""
        known = Counter(r.version for r in self.results if r.state not in {State.LEFT, State.DOWN})
        return known.most_common()


class Rolling:
    """A rollout that is under way."""

    def __init__(
        self,
        listing: Listing,
        order: Order,
        tell: Callable[[Event], None],
        store: Store | None = None,
        between: Between = lambda _wave, _results: None,
    ) -> None:
        """Say what is to be done.

        Args:
            listing: where.
            order: what, in each database.
            tell: is told what happens.
            store: where it is written down; None: nowhere.
            between: told of each wave that went through; a reason stops it there.
        """
        self._listing, self._order, self._tell = listing, order, tell
        self._store, self._between = store, between
        self.number = 0
        """As it is written down; 0: it is not."""
        self._of_all = 0
        self._reason: str | None = None
        self._results: dict[str, Result] = {}

    def run(self, undo: Mapping[str, tuple[str, ...]] | None = None) -> Summary:
        """Do it.

        Args:
            undo: of a rollback, what each database is to lose; others are left alone.

        Raises:
            VouchError: the list cannot be read. What fails in a database is a result.
        """
        settings = self._listing.settings
        listed = self._listing.targets()
        targets = listed if undo is None else [t for t in listed if undo.get(t.name)]
        if self._order.action in _LOOKS:
            waves = [Wave("all", tuple(targets), len(targets))] if targets else []
        else:
            waves = waves_of(targets, settings.waves, settings.budget)
        if self._store:
            self.number = self._store.begin(self._order.action, self._order.to)
        outcome = "interrupted"
        try:
            stopped = self._run(waves, undo)
            outcome = f"stopped in {stopped}" if stopped else "done"
        finally:
            if self._store:
                self._store.end(self.number, outcome)
        return Summary(tuple(self._results.values()), stopped, self._reason)

    def _run(self, waves: Sequence[Wave], undo: Mapping[str, tuple[str, ...]] | None) -> str | None:
        targets = [target for wave in waves for target in wave.targets]
        slots = slots_of(targets, self._listing.settings)
        self._of_all = len(targets)
        with Pool(self._order, slots) as pool:
            for number, wave in enumerate(waves):
                found = self._wave(pool, wave, slots, undo)
                if found is None or self._stops(wave, found):
                    self._leave(waves[number + 1 :])
                    return wave.name
            if undo is None and self._order.action == "migrate":
                return self._run_new(pool, slots)
        return None

    def _run_new(self, pool: Pool, slots: Slots) -> str | None:
        """Go on with databases that were made meanwhile, until there are no new ones."""
        for _ in range(_ROUNDS):
            new = [t for t in self._listing.targets() if t.name not in self._results]
            if not new:
                return None
            settings = self._listing.settings
            self._of_all += len(new)
            slots.per_server.update(slots_of(new, settings).per_server)
            wave = Wave("new", tuple(new), settings.budget.among(len(new)), is_last=True)
            found = self._wave(pool, wave, slots, None)
            if found is None or self._stops(wave, found):
                return wave.name
        return None

    def _stops(self, wave: Wave, results: Sequence[Result]) -> bool:
        self._reason = self._between(wave, results)
        if self._reason is not None:
            failed = sum(not result.is_well for result in results)
            self._tell(Stopped(wave.name, failed, wave.may_fail, self._reason))
        return self._reason is not None

    def _wave(
        self, pool: Pool, wave: Wave, slots: Slots, undo: Mapping[str, tuple[str, ...]] | None
    ) -> list[Result] | None:
        """Do it in the databases of a wave; None where too many have failed."""
        self._tell(Began(wave.name, len(wave.targets), wave.may_fail, self._of_all))
        ended: list[Result] = []

        def end(result: Result) -> None:
            ended.append(result)
            self._results[result.target] = result
            if result.state is not State.LEFT:
                self._tell(Ended(wave.name, result, len(ended), len(wave.targets)))

        jobs = [Job(target, (undo or {}).get(target.name, ())) for target in wave.targets]
        failed = 0

        def goes_on(result: Result) -> bool:
            nonlocal failed
            failed += not result.is_well
            return failed <= wave.may_fail

        try:
            if self._order.action == "migrate":
                looked = look(wave.targets, self._order.database, slots, end, to=self._order.to)
                jobs = [Job(t) for t, r in looked if r is None or r.state is State.PENDING]
                goes = [goes_on(r) for _, r in looked if r and r.state is not State.PENDING]
                if not all(goes):
                    for job in jobs:
                        end(Result(job.target.name, State.LEFT))
                    jobs = []
            for result in pool.run(jobs, goes_on):
                end(result)
        finally:
            if self._store:
                self._store.put(self.number, wave.name, *ended)
        if failed > wave.may_fail:
            self._tell(Stopped(wave.name, failed, wave.may_fail))
            return None
        return ended

    def _leave(self, waves: Sequence[Wave]) -> None:
        for wave in waves:
            left = [Result(target.name, State.LEFT) for target in wave.targets]
            self._results.update({result.target: result for result in left})
            if self._store:
                self._store.put(self.number, wave.name, *left)


def slots_of(targets: Sequence[Target], settings: FleetSettings) -> Slots:
    """Return how many databases at once: of each server what it has left, shared with others.

    Args:
        targets: the databases; one of each server is asked.
        settings: how many at most, of all servers together and of one.
    """
    found: dict[str, int] = {}
    for target in targets:
        if target.server not in found:
            found[target.server] = min(settings.per_server, _left(target))
    return Slots(settings.jobs, found)


def _left(target: Target) -> int:
    try:
        with open_session(reached(target), application_name="pgvouch fleet") as session:
            (result,) = session.ask(own_query("fleet", "slots"))
            return max(int(result.rows[0][0] or 0) // _SHARE, 1)
    except (VouchError, QueryError):
        return 1  # what is wrong is told of each database
