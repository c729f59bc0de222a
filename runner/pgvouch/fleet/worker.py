"""What is done in one database of a fleet: in a thread of a process of its own."""

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import psycopg

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.engine import commands
from pgvouch.errors import ConnectError, UsageError, VouchError
from pgvouch.events import Event, Finished, silent
from pgvouch.fleet.judged import cause_of, state_of
from pgvouch.fleet.look import newest
from pgvouch.fleet.target import Result, State, Target
from pgvouch.postgres.reach import open_session, telling_of_loss
from pgvouch.postgres.session import ConnectionLost, QueryError, Session

if TYPE_CHECKING:
    from pgvouch.engine.task import Task


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done in each database, equal for all."""

    database: Database
    """The files, read once."""
    options: Options
    require_promises: bool
    action: str
    """`migrate`, `rollback`, `verify` or `drift`."""
    to: str | None = None
    """The last migration; of a rollback, the number of the rollout that is undone."""


@dataclass(frozen=True, slots=True)
class Job:
    """One database, and what is to be undone in it."""

    target: Target
    undo: tuple[str, ...] = ()
    landed: list[str] = field(default_factory=list)
    """What was applied or rolled back so far: with an error behind it, that stays."""

    def listen(self, event: Event) -> None:
        """Keep what has landed."""
        if isinstance(event, Finished) and event.outcome in {"applied", "rolled back"}:
            self.landed.append(event.id)


class Pipe(Protocol):
    """An end of a pipe between two processes."""

    def recv(self) -> Any:
        """Wait for the next."""

    def send(self, item: Any, /) -> None:
        """Send one."""

    def close(self) -> None:
        """Close this end."""


def serve(order: Order, pipe: Pipe, threads: int, others: Sequence[Pipe] = ()) -> None:
    """Do what comes through a pipe, and send each Result, until None comes or the pipe is closed.

    Args:
        order: what is to be done.
        pipe: gives jobs, and takes results.
        threads: how many databases at once.
        others: ends of pipes that are not ours: while one is open, its process knows of no end.
    """
    for other in others:
        other.close()
    # The process that has started this one says when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    done = Done(order)
    lock = threading.Lock()

    def work(job: Job) -> None:
        result = done(job)
        with lock, suppress(OSError):
            pipe.send(result)

    pool = ThreadPoolExecutor(threads)
    try:
        while (job := pipe.recv()) is not None:
            pool.submit(work, job)
    except (EOFError, OSError, _Ended):
        done.cancel()
    pool.shutdown(cancel_futures=True)


class _Ended(BaseException):
    """The process is to end."""


def _end(_number: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise _Ended


class Done:
    """Does one thing in databases, with the files read and prepared once."""

    def __init__(self, order: Order) -> None:
        """Prepare the files."""
        self._order = order
        self._sessions: set[Session] = set()
        self._prepared: Mapping[str, Task] = {}
        if order.action == "migrate":
            self._prepared = _prepared(order)

    def __call__(self, job: Job) -> Result:
        """Do it in one database; what goes wrong is its result."""
        began_s = time.monotonic()
        session: Session | None = None
        try:
            session = open_session(job.target.conninfo, application_name="pgvouch fleet")
            self._sessions.add(session)
            with session, telling_of_loss():
                found = _ACTIONS[self._order.action](self, session, job)
        except VouchError as exc:
            found = _failed(job, exc)
        except (QueryError, ConnectionLost) as exc:
            said = exc.server.primary if isinstance(exc, QueryError) else str(exc)
            kind = VouchError if isinstance(exc, QueryError) else ConnectError
            server = exc.server if isinstance(exc, QueryError) else None
            found = _failed(job, kind(said.splitlines()[0] if said else "", server=server))
        except Exception as exc:  # one database's surprise ends no rollout
            found = Result(job.target.name, State.FAILED, cause=f"unforeseen: {type(exc).__name__}")
        finally:
            if session is not None:
                self._sessions.discard(session)
        return replace(found, seconds=time.monotonic() - began_s)

    def cancel(self) -> None:
        """Have the servers cancel what runs: its migration is rolled back."""
        for session in list(self._sessions):
            with suppress(psycopg.Error, OSError):
                session.connection.cancel()

    def migrate(self, session: Session, job: Job) -> Result:
        """Apply what is pending."""
        order = self._order
        outcome = commands.migrate(
            session,
            order.database,
            order.options,
            job.listen,
            to=order.to,
            require_promises=order.require_promises,
            prepared=self._prepared,
        )
        state = State.DONE if outcome.finished else State.AHEAD if outcome.ahead else State.CURRENT
        done = [event.id for event in outcome.finished if event.id in order.database.by_id]
        version = done[-1] if done else newest(commands.read_ledger(session))
        return Result(job.target.name, state, version=version, finished=tuple(job.landed))

    def rollback(self, session: Session, job: Job) -> Result:
        """Roll back exactly what a rollout has applied, where nothing came after it."""
        rows = commands.read_ledger(session)
        there = [row.id for row in rows]
        undo = [name for name in job.undo if name in there]
        if not undo:
            return Result(job.target.name, State.CURRENT, version=newest(rows))
        if there[-len(undo) :] != undo:
            raise UsageError(f"other migrations were applied behind {undo[-1]}")
        order = self._order
        commands.roll_back_steps(
            session, order.database, order.options, job.listen, steps=len(undo), to=None
        )
        version = newest(commands.read_ledger(session))
        return Result(job.target.name, State.DONE, version=version, finished=tuple(job.landed))

    def verify(self, session: Session, job: Job) -> Result:
        """Run every promise again."""
        from pgvouch.verify.live import verify_database

        order, name = self._order, job.target.name
        rows = commands.read_ledger(session)
        verdicts = list(verify_database(session, order.database, rows, order.options, silent))
        broken = [(v.id, finding) for v in verdicts for finding in v.broken]
        if not broken:
            return Result(name, State.CURRENT, version=newest(rows))
        causes = [f"{identifier}: {finding.sentence}" for identifier, finding in broken]
        more = f", and {len(causes) - 1} more" if causes[1:] else ""
        return Result(name, State.FAILED, 0.0, newest(rows), cause=f"{causes[0]}{more}",
                      notes=tuple(causes))  # fmt: skip

    def drift(self, session: Session, job: Job) -> Result:
        """Compare the catalog with what the deltas come to."""
        from pgvouch.operations.drift import compare_database

        order, name = self._order, job.target.name
        rows = commands.read_ledger(session)
        compared = compare_database(session, order.database, order.options, silent)
        lines = [
            f"{d.identity}: expected {d.expected}, found {d.found}" for d in compared.differing
        ]
        if not lines:
            return Result(name, State.CURRENT, version=newest(rows))
        return Result(name, State.DRIFTED, 0.0, newest(rows), cause="; ".join(lines),
                      notes=tuple(lines))  # fmt: skip


_ACTIONS: Mapping[str, Callable[[Done, Session, Job], Result]] = {
    "migrate": Done.migrate,
    "rollback": Done.rollback,
    "verify": Done.verify,
    "drift": Done.drift,
}


def _prepared(order: Order) -> "Mapping[str, Task]":
    from pgvouch.engine.task import prepare
    from pgvouch.plan.squashed import squashed_by

    tasks = prepare(
        (*order.database.migrations, *order.database.repeatables),
        order.options.variables,
        require_promises=order.require_promises,
        strict=order.options.strict,
        known={*order.database.by_id, *squashed_by(order.database.migrations)},
    )
    return {task.id: task for task in tasks}


def _failed(job: Job, error: VouchError) -> Result:
    version = None
    with (
        suppress(VouchError, QueryError, ConnectionLost),
        open_session(job.target.conninfo, application_name="pgvouch fleet") as session,
    ):
        version = newest(commands.read_ledger(session))
    return Result(
        job.target.name,
        state_of(error),
        version=version,
        finished=tuple(job.landed),
        cause=cause_of(error),
        notes=tuple(error.notes),
    )
