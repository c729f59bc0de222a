"""A rollout on a queue in the control database, for workers on any number of machines.

What is to be done, and what has become of it, stands in tables of ours; jobs only say who is at it.
A job that is lost is made anew from them.
"""

import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.connector import Notify
from procrastinate.exceptions import ConnectorException
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvouch.errors import PlanError
from pgvouch.fleet.queue_schema import SCHEMA
from pgvouch.fleet.store import (
    SILENT_S,
    Rollout,
    on_the_queue,
    results_of,
    rollout_of,
    rows_of,
    under_way,
)
from pgvouch.fleet.target import FAILING, Result, State, Target
from pgvouch.fleet.waves import Wave
from pgvouch.postgres.session import OWN_PATH
from pgvouch.sqltext.own import own_query

SLOT, JUDGE = "pgvouch.slot.v1", "pgvouch.judge.v1"
"""The tasks; other arguments would make them other tasks."""
AWAY = (
    ConnectorException,
    psycopg.OperationalError,
    psycopg.errors.IdleInTransactionSessionTimeout,
)
"""The control database cannot be reached."""
AGAIN_S = 2.0
"""Between two attempts to reach it."""
_CHUNK = 5_000
_PATIENCE = "10s"
"""After which the server ends a session that is silent within a transaction: a worker that was put
to sleep there would keep all others from its rollout."""
_OWN = f"{OWN_PATH};\nset local idle_in_transaction_session_timeout = '{_PATIENCE}'"
_FAILING = sorted(map(str, FAILING))
_LOST = "the worker that was at it was killed; pgvouch fleet status shows how far it came"
_UNQUALIFIED = re.compile(r"\bprocrastinate_(?=\w)")


@dataclass(frozen=True, slots=True)
class Said:
    """What was said when a rollout was enqueued, and every worker keeps to."""

    per_server: Mapping[str, int] = field(default_factory=dict)
    """How many databases at once, by server, of all workers together."""
    max_failures: str = "1%"
    pauses: bool = False
    """Whether each wave waits for `fleet resume`."""
    discard_data: bool = False
    undone: str = ""
    """Of a rollback: the comment of the rollout that is undone."""

    def slots_of(self, server: str) -> int:
        """Return how many databases of a server at once."""
        return max(self.per_server.get(server, 1), 1)


@dataclass(frozen=True, slots=True)
class Queued:
    """A rollout that is on a queue."""

    rollout: Rollout
    queue: str
    said: Said
    waves: tuple[tuple[str, int], ...]
    """The name of each, and how many of its databases may fail."""
    wave: int
    """Which of them is under way."""
    paused: bool

    @property
    def at(self) -> dict[str, Any]:
        """The rollout and the wave that is under way, as statements and jobs name them."""
        return {"rollout": self.rollout.id, "wave": self.wave}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rollout is."""

    queued: Queued
    counts: Mapping[tuple[int, State], int]
    """How many databases, by wave and state."""
    causes: tuple[tuple[State, str, int, tuple[str, ...]], ...]
    """Why databases have failed or are gone, how many, and some of their names."""
    idle_s: float
    """For how long nothing has changed."""
    at_work: int
    """How many databases are with workers that live."""
    longest_s: float
    """For how long the first of them."""

    def count(self, *states: State) -> int:
        """Return how many databases are in one of these states."""
        return sum(count for (_, state), count in self.counts.items() if state in states)


@dataclass(frozen=True, slots=True)
class Claim:
    """A database that was taken for a job."""

    is_again: bool
    """Whether it was begun before, and how that ended is not known."""
    taken_at: str
    """Tells it from a later claim of the same job, after this worker was taken for dead."""


class _OwnNames(psycopg.AsyncCursor[Any]):
    """A cursor on which procrastinate's statements find its tables, and nobody else's functions.

    It writes its names without a schema. A search_path of the session would do as well, but for a
    pooler between, which hands sessions from one client to the next.
    """

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Run a statement."""
        if isinstance(query, str):  # else it listens to a channel
            await super().execute(_OWN)
            query = _UNQUALIFIED.sub(f"{SCHEMA}.procrastinate_", query)
        return await super().execute(query, params, **options)


class _Deaf(PsycopgConnector):
    """Believes of a notification that there is one, and nothing that it says.

    Whoever may connect may notify any channel: what is no JSON would end the worker, and a number
    the job of that number. Which jobs are to be aborted is asked for anyway.
    """

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Have the worker look for jobs whenever it is notified."""

        async def look(*, channel: str, payload: str) -> None:
            del payload
            await on_notification(channel=channel, payload='{"type": "job_inserted"}')

        await super().listen_notify(look, channels)


class Queue:
    """The queue of a control database."""

    def __init__(self, conninfo: str, connections: int) -> None:
        """Say where, and how many connections at most."""
        self.conninfo = make_conninfo(conninfo, **_named(conninfo), client_encoding="utf8")
        self.connector = _Deaf(
            conninfo=self.conninfo,
            min_size=1,
            max_size=connections,
            # A pooler may give each transaction another session.
            kwargs={"cursor_factory": _OwnNames, "prepare_threshold": None},
            configure=_configure,
        )
        self.app = App(connector=self.connector)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Asking"]:
        """Ask and change what our tables say, in one transaction; they have been judged before."""
        async with self.connector.pool.connection() as connection, connection.transaction():
            yield Asking(self.app, connection)


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    """Say of each transaction what it is, whatever the role or the database has for a default."""
    await connection.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED)
    await connection.set_read_only(False)
    await connection.set_deferrable(False)


def _named(conninfo: str) -> dict[str, str]:
    named = conninfo_to_dict(conninfo).get("application_name")
    return {} if named else {"application_name": "pgvouch fleet"}


class Asking:
    """A transaction on the control database."""

    def __init__(self, app: App, connection: psycopg.AsyncConnection[Any]) -> None:
        """Use a connection in which it has begun."""
        self._app = app
        self._connection = connection

    async def _ask(self, block: str, **values: object) -> list[Any]:
        cursor = psycopg.AsyncCursor(self._connection)
        await cursor.execute(f"{_OWN};\n{own_query('fleet', block, **values)}".encode())
        found: list[Any] = []
        more: bool | None = True
        while more:
            found = await cursor.fetchall() if cursor.description else found
            more = cursor.nextset()
        return found

    async def enqueue(
        self,
        fleet: str,
        action: str,
        wanted: str | None,
        queue: str,
        said: Said,
        waves: Sequence[Wave],
        gone: Sequence[Result] = (),
    ) -> Rollout:
        """Write down a rollout, its databases, and the jobs of its first wave.

        Args:
            fleet: of which it is.
            action: migrate or rollback.
            wanted: the last migration; of a rollback the rollout.
            queue: of these files, and this list of databases.
            said: what every worker keeps to.
            waves: with the databases of each.
            gone: those of which something has become already.

        Raises:
            PlanError: one of this fleet is under way.
        """
        given = {"fleet": fleet, "action": action, "wanted": wanted, "queue": queue}
        named = json.dumps([[wave.name, wave.may_fail] for wave in waves])
        try:
            rows = await self._ask(
                "enqueue_rollout", **given, settings=json.dumps(asdict(said)), waves=named
            )
        except psycopg.errors.UniqueViolation:
            raise on_the_queue(fleet) from None
        if not rows:
            raise under_way(await self._ask("others", fleet=fleet), fleet)
        rollout = rollout_of(rows[0])
        await self.add_targets(rollout.id, enumerate(wave.targets for wave in waves))
        if gone:
            written = json.dumps(rows_of(gone))
            await self._ask("put_results", rollout=rollout.id, wave=0, rows=written)
        await self.feed(rollout.id)
        return rollout

    async def add_targets(
        self, rollout: int, waves: Iterable[tuple[int, Iterable[Target]]]
    ) -> None:
        """Write down databases of waves as such that wait."""
        rows = [
            {"target": target.name, "server": target.server, "wave": number}
            for number, targets in waves
            for target in targets
        ]
        for start in range(0, len(rows), _CHUNK):
            chunk = json.dumps(rows[start : start + _CHUNK])
            await self._ask("enqueue_targets", rollout=rollout, rows=chunk)

    async def find(self, rollout: int) -> Queued:
        """Return a rollout, and hold it until the transaction ends."""
        (row,) = await self._ask("queued_rollout", rollout=rollout)
        *own, queue, said, waves, wave, paused = row
        pairs = tuple((name, may_fail) for name, may_fail in json.loads(waves))
        return Queued(rollout_of(own), queue, Said(**json.loads(said)), pairs, wave, paused)

    async def last(self, fleet: str, number: int | None = None) -> int:
        """Return the number of the last rollout on the queue.

        Raises:
            PlanError: there is none.
        """
        rows = await self._ask("last_queued", fleet=fleet, number=number)
        if not rows:
            which = f"number {number}" if number is not None else "here"
            raise PlanError(
                f"there is no rollout {which} of the fleet {fleet} on the queue",
                hint=f"pgvouch fleet enqueue {fleet} puts one there",
            )
        return int(rows[0][0])

    async def elsewhere(self, fleet: str, queue: str) -> list[int]:
        """Return the rollouts of a fleet that are under way on another queue."""
        return [number for (number,) in await self._ask("elsewhere", fleet=fleet, queue=queue)]

    async def under_way(self, queue: str) -> list[int]:
        """Return the rollouts of a queue that have not ended."""
        return [number for (number,) in await self._ask("under_way", queue=queue)]

    async def feed(self, number: int) -> None:
        """Make the jobs that a rollout lacks: for slots of servers, or to judge a wave."""
        queued = await self.find(number)
        if queued.paused or queued.rollout.ended_at is not None:
            return
        await self._ask("let_go_of_lost", **queued.at)
        for server, count, slots in await self._ask(
            "open_servers", queue=queued.queue, **queued.at
        ):
            wanted = range(min(count, queued.said.slots_of(server)))
            for slot in sorted({*wanted} - {*slots}):
                await self.add_job(queued, server, slot)
        await self.have_judged(queued)

    async def add_job(self, queued: Queued, server: str, slot: int, turn: int = 0) -> None:
        """Make a job that works on the databases of a server, as one of so many at once.

        Args:
            queued: the rollout.
            server: which.
            slot: which of those that there may be at once.
            turn: 1 or 0, as one job follows another in a slot: the lock of the one ahead of it is
                free only when that has ended, which nobody is told of.
        """
        deferrer = self._app.configure_task(
            SLOT,
            queue=queued.queue,
            # Jobs of another queue wait for workers that may never come, and go ahead all the same.
            lock=f"{queued.queue}:{server}:{slot}:{turn}",
            connection=self._connection,
        )
        await deferrer.defer_async(**queued.at, server=server, slot=slot, turn=turn)

    async def add_job_if_wanted(self, queued: Queued, server: str, slot: int, turn: int) -> None:
        """Make one behind a job that has had its time, if there is something left to do."""
        ((is_left,),) = await self._ask("is_left", **queued.at, server=server)
        if is_left and not queued.paused:
            await self.add_job(queued, server, slot, turn)

    async def have_judged(self, queued: Queued) -> None:
        """Have a wave judged whose databases are done, or of which too many have failed."""
        is_open, failed = await self.stands(queued)
        _, may_fail = queued.waves[queued.wave]
        if is_open and failed <= may_fail:
            return
        ((is_there,),) = await self._ask("is_judged", queue=queued.queue, task=JUDGE, **queued.at)
        if not is_there:
            deferrer = self._app.configure_task(
                JUDGE,
                queue=queued.queue,
                lock=f"judge:{queued.rollout.id}",
                priority=1,
                connection=self._connection,
            )
            await deferrer.defer_async(**queued.at)

    async def stands(self, queued: Queued) -> tuple[int, int]:
        """Return how many databases of the wave are open, and how many have failed."""
        ((is_open, failed),) = await self._ask("stands", **queued.at, failing=_FAILING)
        return is_open, failed

    async def wave_results(self, queued: Queued) -> list[Result]:
        """Return what became of the databases of the wave."""
        return list(results_of(await self._ask("wave_results", **queued.at)).values())

    async def names(self, rollout: int, but_for: str) -> set[str]:
        """Return the names of a rollout's databases, but for those that are gone for a cause."""
        rows = await self._ask("names", rollout=rollout, but_for=but_for)
        return {name for (name,) in rows}

    async def claim(
        self, queued: Queued, server: str, job: int, most: int, least: int = 1
    ) -> dict[str, Claim]:
        """Take databases for a job.

        Args:
            queued: the rollout.
            server: which has them.
            job: the job.
            most: how many at most.
            least: how many at least, though others may be done with theirs earlier.
        """
        slots = queued.said.slots_of(server)
        among = {"most": most, "least": least, "slots": slots}
        rows = await self._ask("claim", **queued.at, server=server, job=job, **among)
        return {name: Claim(is_again, taken_at) for name, is_again, taken_at in rows}

    async def put(
        self, queued: Queued, results: Sequence[tuple[Result, Claim]]
    ) -> tuple[bool, int]:
        """Write down what became of databases, but for those that others have taken since.

        Returns:
            Whether the rollout goes on, and how many of the wave have failed.
        """
        rows = [
            {**row, "taken_at": claim.taken_at}
            for row, (_, claim) in zip(rows_of(r for r, _ in results), results, strict=True)
        ]
        given = {"rows": json.dumps(rows), "failing": _FAILING}
        ((goes_on, failed),) = await self._ask("put", **queued.at, **given)
        return goes_on, failed

    async def give_back(self, rollout: int, claims: Mapping[str, Claim]) -> None:
        """Let go of databases that a job has taken and not begun."""
        marks = [claim.taken_at for claim in claims.values()]
        await self._ask("give_back", rollout=rollout, targets=list(claims), taken_at=marks)

    async def go_on(self, queued: Queued, added: Sequence[tuple[str, int]] = ()) -> None:
        """Begin the next wave."""
        waves = json.dumps([*queued.waves, *added])
        rollout, pauses = queued.rollout.id, queued.said.pauses
        await self._ask("next_wave", rollout=rollout, pauses=pauses, waves=waves)
        await self.feed(queued.rollout.id)

    async def pause(self, queued: Queued) -> None:
        """Begin nothing new."""
        await self._ask("set_paused", rollout=queued.rollout.id, paused=True)
        await self._drop(queued)

    async def resume(self, queued: Queued) -> None:
        """Go on after a pause."""
        await self._ask("set_paused", rollout=queued.rollout.id, paused=False)
        await self.feed(queued.rollout.id)

    async def stop(self, queued: Queued, outcome: str) -> list[int]:
        """End a rollout; what is under way is not disturbed.

        Returns:
            The jobs that are under way.
        """
        await self._ask("stop_rollout", rollout=queued.rollout.id, outcome=outcome)
        return await self._drop(queued)

    async def abort(self, jobs: Iterable[int]) -> None:
        """Have the workers cancel what is under way."""
        for number in jobs:
            await self._connection.execute(
                "select procrastinate_cancel_job_v1(%s, true, false)", [number]
            )

    async def _drop(self, queued: Queued) -> list[int]:
        """Cancel the jobs that wait; return those that are under way."""
        waiting, doing = await self._jobs(queued)
        for number in waiting:
            await self._connection.execute(
                "select procrastinate_cancel_job_v1(%s, false, false)", [number]
            )
        return doing

    async def live(self, queued: Queued) -> list[int]:
        """Return the jobs of a rollout that are under way."""
        return (await self._jobs(queued))[1]

    async def _jobs(self, queued: Queued) -> tuple[list[int], list[int]]:
        """Return the jobs that wait, and those that are under way."""
        jobs = await self._ask("live_jobs", queue=queued.queue, rollout=queued.rollout.id)
        found: tuple[list[int], list[int]] = [], []
        for number, is_doing in jobs:
            found[is_doing].append(number)
        return found

    async def progress(self, number: int, names: int) -> Progress:
        """Return how far a rollout is, with so many names of databases for each cause."""
        queued = await self.find(number)
        # First: what ends meanwhile is counted as ended below.
        ((at_work, longest_s),) = await self._ask("at_work", rollout=number, silent_s=SILENT_S)
        counts = await self._ask("progress", rollout=number)
        told = [*_FAILING, State.GONE]
        causes = await self._ask("causes", rollout=number, told=told, names=names)
        return Progress(
            queued,
            {(wave, State(state)): count for wave, state, count, _ in counts},
            tuple((State(s), c or "", n, tuple(json.loads(some))) for s, c, n, some in causes),
            min((float(idle) for *_, idle in counts), default=0.0),
            at_work,
            float(longest_s),
        )

    async def end_lost(self, queue: str) -> None:
        """Of rollouts that have ended, take what nobody is at any more for failed."""
        await self._ask("end_lost", queue=queue, cause=_LOST)

    async def forget_jobs(self, queue: str) -> None:
        """Remove the jobs that have ended."""
        await self._ask("forget_jobs", queue=queue)
