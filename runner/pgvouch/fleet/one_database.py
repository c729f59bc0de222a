"""What is done in one database of a fleet: in a thread of a process of its own."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import psycopg

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.engine import commands
from pgvouch.errors import (
    ConnectError,
    MigrationError,
    TooManyConnectionsError,
    UsageError,
    VouchError,
)
from pgvouch.events import Event, Finished, silent
from pgvouch.fleet.judged import cause_of, state_of
from pgvouch.fleet.look import newest
from pgvouch.fleet.password import reached
from pgvouch.fleet.target import Job, Result, State, Target
from pgvouch.ledger.ledger import judged_sql
from pgvouch.ledger.repeatable import read_runs
from pgvouch.plan import repeat
from pgvouch.postgres.reach import open_session, telling_of_loss
from pgvouch.postgres.retry import PAUSE, RetryLimits, retry
from pgvouch.postgres.session import ConnectionLost, QueryError, Session
from pgvouch.sqltext.own import own_query

if TYPE_CHECKING:
    from pgvouch.delta.fold import Difference
    from pgvouch.engine.task import Task


_CANCEL_AGAIN_S = 0.2
_NO_DELTA = "no applied migration has a delta, so there is nothing to compare with"
_FULL = RetryLimits(budget_s=10.0, first_s=0.3, longest_s=1.0)
"""For a server that has no connection left."""


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
    """The last migration that is wanted; None means all."""
    undone: str = ""
    """Of a rollback: the comment that the rollout has left in the ledgers' logs."""


@dataclass(eq=False, slots=True)
class _Doing:
    """A job that is under way."""

    job: Job
    landed: list[str] = field(default_factory=list)
    """What was applied or rolled back so far: with an error behind it, that stays."""
    session: Session | None = None
    is_cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def target(self) -> Target:
        """Where."""
        return self.job.target

    def listen(self, event: Event) -> None:
        """Keep what has landed."""
        if isinstance(event, Finished) and event.outcome in {"applied", "rolled back"}:
            self.landed.append(event.id)

    def pause(self, seconds: float) -> None:
        """Wait between two attempts, of which the server knows nothing.

        Raises:
            VouchError: it was cancelled.
        """
        if self.is_cancelled.wait(seconds):
            raise VouchError("cancelled while others were in its way")

    def cancel(self) -> None:
        """Have the server cancel what runs: it is rolled back."""
        self.is_cancelled.set()
        if self.session is not None:
            with suppress(psycopg.Error, OSError):
                self.session.connection.cancel()


class Pipe(Protocol):
    """An end of a pipe between two processes."""

    def recv(self) -> Any:
        """Wait for the next."""

    def send(self, item: Any, /) -> None:
        """Send one."""

    def close(self) -> None:
        """Close this end."""

    def fileno(self) -> int:
        """Return its descriptor."""


def serve(done: "Done", pipe: Pipe, threads: int, others: Sequence[Pipe] = ()) -> None:
    """Do what comes through a pipe, and send each Result, until None comes.

    Args:
        done: does it.
        pipe: gives jobs with their numbers, and names of databases in which to cancel them; takes
            results with the numbers. When it is closed, or SIGTERM comes, what runs is cancelled.
        threads: how many databases at once.
        others: ends of pipes that are not ours: while one is open, its process knows of no end.
    """
    from multiprocessing.connection import wait as either  # not where nothing is to be done

    for other in others:
        other.close()
    # The process that has started this one says when it ends; its event loop hears its own signals.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # An exception might come between the start of a job and the note of it.
    ends, tells = os.pipe()
    os.set_blocking(tells, False)
    signal.set_wakeup_fd(tells)
    signal.signal(signal.SIGTERM, lambda *_: None)
    lock = threading.Lock()

    def work(number: int, job: Job) -> None:
        result = done(job)
        with lock, suppress(OSError):
            pipe.send((number, result))

    pool = ThreadPoolExecutor(threads)
    futures: set[Future[None]] = set()
    is_cancelled = True
    with suppress(EOFError, OSError):
        while ends not in either([pipe.fileno(), ends]):
            said = pipe.recv()
            if said is None:
                is_cancelled = False
                break
            if isinstance(said, str):
                done.cancel(said)
                continue
            future = pool.submit(work, *said)
            futures.add(future)
            future.add_done_callback(futures.discard)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if is_cancelled:
        pool.shutdown(wait=False, cancel_futures=True)
        done.cancel()
        while wait(futures, _CANCEL_AGAIN_S).not_done:  # one was between two statements
            done.cancel()
    pool.shutdown()


class Done:
    """Does one thing in databases, with the files read and prepared once."""

    def __init__(self, order: Order) -> None:
        """Prepare the files."""
        self._order = order
        self._under_way: set[_Doing] = set()
        self._prepared: Mapping[str, Task] = {}
        if order.action == "migrate":
            self._prepared = _prepared(order)

    def __call__(self, job: Job) -> Result:
        """Do it in one database; what goes wrong is its result."""
        began_s = time.monotonic()
        doing = _Doing(job)
        self._under_way.add(doing)
        PAUSE.set(doing.pause)
        try:
            doing.session = session = _opened(doing)
            with session, telling_of_loss():
                found = _ACTIONS[self._order.action](self, session, doing)
        except VouchError as exc:
            found = _failed(self._order, doing, exc)
        except (QueryError, ConnectionLost) as exc:
            said = exc.server.primary if isinstance(exc, QueryError) else str(exc)
            kind = VouchError if isinstance(exc, QueryError) else ConnectError
            server = exc.server if isinstance(exc, QueryError) else None
            found = _failed(
                self._order, doing, kind(said.splitlines()[0] if said else "", server=server)
            )
        except Exception as exc:  # one database's surprise ends no rollout
            found = Result(job.target.name, State.FAILED, cause=f"unforeseen: {type(exc).__name__}")
        finally:
            self._under_way.discard(doing)
        return replace(found, seconds=time.monotonic() - began_s)

    def cancel(self, name: str | None = None) -> None:
        """Have the servers cancel what runs, in one database or in all: it is rolled back."""
        for doing in list(self._under_way):
            if name in {None, doing.target.name}:
                doing.cancel()

    def migrate(self, session: Session, doing: _Doing) -> Result:
        """Apply what is pending."""
        order = self._order
        outcome = commands.migrate(
            session,
            order.database,
            order.options,
            doing.listen,
            to=order.to,
            require_promises=order.require_promises,
            prepared=self._prepared,
        )
        landed = doing.landed
        if doing.job.is_again and order.options.comment:
            landed = _commented(session, order.options.comment)
        done = outcome.finished or landed
        state = State.DONE if done else State.AHEAD if outcome.ahead else State.CURRENT
        applied = [event.id for event in outcome.finished if event.id in order.database.by_id]
        version = applied[-1] if applied else newest(commands.read_ledger(session))
        return Result(doing.target.name, state, version=version, finished=tuple(landed))

    def rollback(self, session: Session, doing: _Doing) -> Result:
        """Roll back exactly what a rollout has applied, where nothing came after it."""
        rows = commands.read_ledger(session)
        there = [row.id for row in rows]
        undo = _commented(session, self._order.undone) if rows else []
        if not undo:
            return Result(doing.target.name, State.CURRENT, version=newest(rows))
        if there[-len(undo) :] != undo:
            raise UsageError(f"other migrations were applied behind {undo[-1]}")
        order = self._order
        commands.roll_back_steps(
            session, order.database, order.options, doing.listen, steps=len(undo), to=None
        )
        version = newest(commands.read_ledger(session))
        return Result(doing.target.name, State.DONE, version=version, finished=tuple(doing.landed))

    def verify(self, session: Session, doing: _Doing) -> Result:
        """Run every promise again."""
        from pgvouch.verify.live import verify_database

        order, name = self._order, doing.target.name
        rows = commands.read_ledger(session)
        verdicts = list(verify_database(session, order.database, rows, order.options, silent))
        broken = [(v.id, finding) for v in verdicts for finding in v.broken]
        if not broken:
            return Result(name, State.CURRENT, version=newest(rows))
        causes = [f"{identifier}: {finding.sentence}" for identifier, finding in broken]
        more = f", and {len(causes) - 1} more" if causes[1:] else ""
        return Result(name, State.FAILED, 0.0, newest(rows), cause=f"{causes[0]}{more}",
                      notes=tuple(causes))  # fmt: skip

    def drift(self, session: Session, doing: _Doing) -> Result:
        """Compare the catalog with what the deltas come to."""
        from pgvouch.operations.drift import compare_database

        order, name = self._order, doing.target.name
        rows = commands.read_ledger(session)
        compared = compare_database(session, order.database, order.options, silent)
        lines = [_told(difference) for difference in compared.differing]
        if not lines and rows and not compared.deltas:
            return Result(name, State.CURRENT, 0.0, newest(rows), cause=_NO_DELTA)
        if not lines:
            return Result(name, State.CURRENT, version=newest(rows))
        return Result(name, State.DRIFTED, 0.0, newest(rows), cause="; ".join(lines),
                      notes=tuple(lines))  # fmt: skip


def _opened(doing: _Doing) -> Session:
    """Open a session; where the server has no connection left, one may be free in a moment."""

    def attempt() -> Session:
        return open_session(doing.target.conninfo, application_name="pgvouch fleet")

    def again(exc: BaseException) -> bool:
        return isinstance(exc, TooManyConnectionsError)

    return retry(attempt, _FULL, again=again, tell=lambda _: None)


def _told(difference: "Difference") -> str:
    definitions = difference.definitions()
    more = f" (expected {definitions[0]}, found {definitions[1]})" if definitions else ""
    return f"{difference.sentence()}{more}"


def stands(target: Target, database: Database, to: str | None) -> Result:
    """Return how a database stands, where a look at its ledger alone does not say it.

    Args:
        target: which; it blocks.
        database: the files.
        to: the last migration that is wanted; None means all.
    """
    try:
        conninfo = reached(target)
        with open_session(conninfo, application_name="pgvouch fleet") as session, telling_of_loss():
            rows = commands.read_ledger(session)
            todo = commands.pending(database, rows, to=to, out_of_order=False)
            runs = read_runs(session) if rows and database.repeatables else []
    except VouchError as exc:
        return Result(target.name, state_of(exc), cause=cause_of(exc, target.conninfo))
    except QueryError as exc:
        error = MigrationError(exc.server.primary, server=exc.server)
        return Result(target.name, state_of(error), cause=cause_of(error))
    due = repeat.due(database.repeatables, runs) if to is None else []
    count = len(todo.pending) + len(due)
    state = State.PENDING if count else State.AHEAD if todo.ahead else State.CURRENT
    return Result(target.name, state, version=newest(rows), pending=count)


_ACTIONS: Mapping[str, Callable[[Done, Session, _Doing], Result]] = {
    "migrate": Done.migrate,
    "rollback": Done.rollback,
    "verify": Done.verify,
    "drift": Done.drift,
}


def _prepared(order: Order) -> "Mapping[str, Task]":
    from pgvouch.engine.task import prepare

    tasks = prepare(
        (*order.database.migrations, *order.database.repeatables),
        order.options.variables,
        require_promises=order.require_promises,
        strict=order.options.strict,
        of=order.database,
    )
    return {task.id: task for task in tasks}


def _commented(session: Session, comment: str) -> list[str]:
    """Return what was applied with a comment and is still there, in the order of application."""
    judged = judged_sql("pgvouch.migration", "pgvouch._yoyo_log")
    query = own_query("fleet", "commented", comment=comment)
    return [str(row[0]) for row in session.ask(f"{judged};\n{query}")[-1].rows]


def _failed(order: Order, doing: _Doing, error: VouchError) -> Result:
    version = None
    landed = doing.landed
    with (
        suppress(VouchError, QueryError, ConnectionLost),
        open_session(doing.target.conninfo, application_name="pgvouch fleet") as session,
    ):
        version = newest(commands.read_ledger(session))
        if order.action == "migrate" and order.options.comment:
            # A commit whose answer was lost has landed, too.
            landed = _commented(session, order.options.comment)
    return Result(
        doing.target.name,
        state_of(error),
        version=version,
        finished=tuple(landed),
        cause=cause_of(error, doing.target.conninfo),
        notes=tuple(error.notes),
    )
