"""What became of each database in each rollout: in the control database, or in a file.

It holds names, versions and causes, and nothing of a URL. A rollback takes back what it says, so in
a database it is believed as a ledger is: if its owner is one whom we trust.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote
from uuid import uuid4

from pgvouch.errors import MigrationError, PlanError, UsageError
from pgvouch.fleet.target import Result, State
from pgvouch.ledger.ledger import judged_sql, refuse_stranger
from pgvouch.postgres.reach import open_session
from pgvouch.postgres.session import QueryError, Session
from pgvouch.sqltext.own import own_query, own_sql

SCHEMA = "pgvouch_fleet"
QUEUE_SCHEMA = "pgvouch_queue"
JUDGED = judged_sql(*(f"{SCHEMA}.{name}" for name in ("rollout", "result", "queue_migration")))
"""Goes ahead of what reads or writes the tables: a stranger's are refused."""
SILENT_S = 120.0
"""After which a worker does not seem to live: it says so every few seconds."""
_TRIES, _AGAIN_S = 20, 0.1
_MOST = 180
"""Characters of a fleet's name in a comment, for which there are 255."""
_MADE_BY_ANOTHER = {"42P06", "42P07", "23505"}

_SCHEMA = """
create table if not exists rollout (
  id integer primary key,
  key text not null,
  fleet text not null,
  action text not null,
  wanted text,
  began_at text not null,
  ended_at text,
  outcome text
);
create table if not exists result (
  rollout integer not null references rollout,
  target text not null,
  wave integer not null,
  state text not null,
  version text,
  finished text not null,
  cause text,
  seconds real not null,
  at text not null,
  primary key (rollout, target)
);
"""


@dataclass(frozen=True, slots=True)
class Rollout:
    """Something that was done to a fleet."""

    id: int
    key: str
    """Tells it from those of other control databases."""
    fleet: str
    action: str
    wanted: str | None
    """The last migration that was wanted; None: all."""
    ended_at: datetime | None = None
    outcome: str | None = None
    """How it ended; None: it did not, or was killed."""

    @property
    def comment(self) -> str:
        """What stands in the log of each ledger beside what it has applied."""
        return f"rollout {self.id} of {self.fleet[:_MOST]} ({self.key})"


@dataclass(frozen=True, slots=True)
class Past:
    """A rollout as the history of a fleet shows it."""

    id: int
    action: str
    wanted: str | None
    """The last migration that was wanted; of a rollback the rollout."""
    began_at: datetime
    outcome: str | None
    """How it ended; None: it did not, or was killed."""
    counts: Mapping[str, int]
    """How many databases, by state."""


class Store(Protocol):
    """The rollouts of a fleet."""

    def begin(self, action: str, wanted: str | None) -> AbstractContextManager[Rollout]:
        """Write down that a rollout begins, and let no other one of the fleet begin meanwhile.

        Raises:
            PlanError: another one is under way.
        """

    def put(self, rollout: int, wave: int, *results: Result) -> None:
        """Write down what became of databases of a wave."""

    def end(self, rollout: int, outcome: str) -> None:
        """Write down how a rollout has ended."""

    def last(self, action: str, number: int | None = None) -> Rollout:
        """Return the last rollout of a kind, or the one of a number.

        Raises:
            UsageError: there is none.
        """

    def results(self, rollout: int) -> dict[str, Result]:
        """Return what became of each database in a rollout."""

    def history(self, most: int) -> list[Past]:
        """Return so many of the last rollouts, the newest first."""

    def at_work(self, rollout: int) -> int:
        """Return in how many databases a rollout is under way, though it has ended."""


def _no_rollout(fleet: str, number: int | None) -> UsageError:
    which = f"number {number}" if number is not None else "here"
    return UsageError(
        f"there is no rollout {which} in which the fleet {fleet} was migrated",
        hint=f"pgvouch fleet history {fleet} lists them",
    )


class FileStore:
    """A file of SQLite's, beside the project."""

    def __init__(self, path: Path, fleet: str) -> None:
        """Name the file, which is made when something is written, and the fleet."""
        self.path = path
        self._fleet = fleet

    @contextmanager
    def begin(self, action: str, wanted: str | None) -> Iterator[Rollout]:
        """Write down that a rollout begins, and let no other one of the fleet begin meanwhile.

        Raises:
            PlanError: another one is under way.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(self.path.with_name(f"{quote(self._fleet, safe='')}.lock"), self._fleet):
            yield self._begin(action, wanted)

    def _begin(self, action: str, wanted: str | None) -> Rollout:
        key = str(uuid4())
        with self._open() as connection:
            cursor = connection.execute(
                "insert into rollout (key, fleet, action, wanted, began_at) values (?, ?, ?, ?, ?)",
                (key, self._fleet, action, wanted, _now()),
            )
            assert cursor.lastrowid is not None
            return Rollout(cursor.lastrowid, key, self._fleet, action, wanted)

    def put(self, rollout: int, wave: int, *results: Result) -> None:
        """Write down what became of databases of a wave."""
        rows = [
            (rollout, r.target, wave, r.state, r.version, json.dumps(r.finished), r.cause,
             r.seconds, _now())
            for r in results
        ]  # fmt: skip
        with self._open() as connection:
            connection.executemany(
                "insert or replace into result values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )

    def end(self, rollout: int, outcome: str) -> None:
        """Write down how a rollout has ended."""
        with self._open() as connection:
            connection.execute(
                "update rollout set ended_at = ?, outcome = ? where id = ?",
                (_now(), outcome, rollout),
            )

    def last(self, action: str, number: int | None = None) -> Rollout:
        """Return the last rollout of a kind, or the one of a number.

        Raises:
            UsageError: there is none.
        """
        if self.path.exists():
            with self._open() as connection:
                found = connection.execute(
                    "select id, key, fleet, action, wanted, ended_at, outcome from rollout "
                    "where fleet = ? and action = ? and coalesce(id = ?, true) order by id desc",
                    (self._fleet, action, number),
                ).fetchone()
            if found:
                return rollout_of(found)
        raise _no_rollout(self._fleet, number)

    def results(self, rollout: int) -> dict[str, Result]:
        """Return what became of each database in a rollout."""
        with self._open() as connection:
            rows = connection.execute(
                "select target, state, seconds, version, finished, cause from result "
                "where rollout = ?",
                (rollout,),
            ).fetchall()
        return results_of(rows)

    def history(self, most: int) -> list[Past]:
        """Return so many of the last rollouts, the newest first."""
        if not self.path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(
                "select id, action, wanted, began_at, outcome, (select json_group_object(s.state, "
                "s.number) from (select state, count(*) as number from result where rollout = "
                "rollout.id group by state) as s) from rollout where fleet = ? "
                "order by id desc limit ?",
                (self._fleet, most),
            ).fetchall()
        return [_past_of(row) for row in rows]

    def at_work(self, rollout: int) -> int:
        """Return 0: without a queue, no other program is at it."""
        del rollout
        return 0

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
                connection.executescript(_SCHEMA)  # a full disk may have kept it from being made
                yield connection
        except sqlite3.Error as exc:
            raise UsageError(
                f"{self.path.name}, where results are kept, cannot be used: {exc}",
                hint="move it out of the way; the databases themselves know what is applied",
            ) from None


def _now() -> str:
    return datetime.now(UTC).isoformat()


def rollout_of(row: Sequence[Any]) -> Rollout:
    """Return a rollout from its row."""
    number, key, fleet, action, wanted, ended, outcome = row
    at = datetime.fromisoformat(ended) if ended else None
    return Rollout(int(number), str(key), fleet, action, wanted, at, outcome)


def _past_of(row: Sequence[Any]) -> Past:
    number, action, wanted, began, outcome, counts = row
    at = datetime.fromisoformat(began)
    return Past(int(number), action, wanted, at, outcome, json.loads(counts))


def results_of(rows: Iterable[Sequence[Any]]) -> dict[str, Result]:
    """Return what became of databases, by name."""
    return {
        name: Result(
            name, State(state), float(seconds), version, tuple(json.loads(finished)), 0, cause
        )
        for name, state, seconds, version, finished, cause in rows
    }


@contextmanager
def _alone(path: Path, fleet: str) -> Iterator[None]:
    """Hold a file of a fleet, which the system lets go of when this program ends, however it does.

    Raises:
        PlanError: another program holds it.
    """
    try:
        import fcntl
    except ImportError:  # not where there is no such thing
        yield
        return
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PlanError(
                f"another rollout of the fleet {fleet} is under way",
                state="Nothing was begun.",
                hint=f"it has {path.name} open, beside the project; wait for its end",
            ) from None
        except OSError:
            pass  # a file system that has no locks
        yield


def under_way(rows: Sequence[Sequence[Any]], fleet: str) -> PlanError:
    """Return the error for a rollout while a program is at another one, or one is on the queue."""
    if not rows:
        return on_the_queue(fleet)
    number, action, who, since, pid = rows[0]
    return PlanError(
        f"rollout {number} of the fleet {fleet} is under way: {action} by {who} since {since}",
        state="Nothing was begun.",
        hint=f"wait for its end; it holds session {pid} of the control database for as long as it "
        f"is at it: where its program is gone, select pg_terminate_backend({pid})",
    )


def on_the_queue(fleet: str) -> PlanError:
    """Return the error for a rollout while another one is on the queue."""
    return PlanError(
        f"a rollout of the fleet {fleet} is on the queue",
        state="Nothing was begun.",
        hint=f"pgvouch fleet watch {fleet}; or pgvouch fleet cancel {fleet}",
    )


def rows_of(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Return what became of databases as the control database takes it, in JSON."""
    return [
        {
            "target": result.target,
            "state": str(result.state),
            "version": result.version,
            "finished": json.dumps(result.finished),
            "cause": result.cause,
            "seconds": result.seconds,
        }
        for result in results
    ]


def ensure_tables(session: Session) -> None:
    """Create the tables of rollouts in a control database that has none.

    Raises:
        QueryError: the role may not.
    """
    (there,) = session.ask(own_query("fleet", "has_rollouts"))
    if there.rows == (("t",),):
        return
    revoked = own_query("fleet", "revoke_all", name=SCHEMA)
    try:
        session.ask(f"{own_sql('fleet/schema')};\n{revoked}")
    except QueryError as exc:
        if exc.server.sqlstate not in _MADE_BY_ANOTHER:
            raise


def refuse_strange_queue(session: Session) -> None:
    """Refuse a queue of a role that is not trusted: its functions would run with our rights.

    Raises:
        PlanError: that is so.
    """
    (owner,) = session.ask(own_query("fleet", "queue_stranger"))
    if owner.rows:
        raise PlanError(
            f"the queue belongs to another role, {owner.rows[0][0]}",
            state="Nothing was run.",
            hint=f"find out who made the schema {QUEUE_SCHEMA}, and drop it",
        )


@contextmanager
def open_control(url: str) -> Iterator[Session]:
    """Open a session in the control database; what it refuses inside is told as such.

    Raises:
        ConnectError: it cannot be reached.
        PlanError: the tables are not to be believed.
        MigrationError: the role may not, or the server is a standby.
    """
    with open_session(url, application_name="pgvouch fleet") as session, telling_of_refusal():
        yield session


@contextmanager
def telling_of_refusal() -> Iterator[None]:
    """Tell of what the control database refuses inside.

    Raises:
        PlanError: the tables are not to be believed.
        MigrationError: the role may not, or the server is a standby.
    """
    try:
        yield
    except QueryError as exc:
        if exc.server.sqlstate != "42501":
            refuse_stranger(exc)
        raise MigrationError(
            f"the control database cannot keep the results: {exc.server.primary}",
            server=exc.server,
            hint="connect to the primary, as a role that may create a schema, or as the owner "
            f"of {SCHEMA}",
        ) from None


class ControlStore:
    """Tables of the control database."""

    def __init__(self, url: str, fleet: str) -> None:
        """Say where, and which fleet."""
        self._url = url
        self._fleet = fleet

    @contextmanager
    def begin(self, action: str, wanted: str | None) -> Iterator[Rollout]:
        """Write down that a rollout begins, and let no other one of the fleet begin meanwhile.

        Raises:
            PlanError: another one is under way.
        """
        with open_session(self._url, application_name="pgvouch fleet") as session:
            with telling_of_refusal():
                begun = self._begin(session, action, wanted)
            # The session stays: as long as it is there, others know that somebody is at it.
            yield begun

    def _begin(self, session: Session, action: str, wanted: str | None) -> Rollout:
        ensure_tables(session)
        pid = session.connection.info.backend_pid
        (own,) = session.run("select pg_catalog.pg_backend_pid()")
        is_direct = own.rows[0][0] == str(pid)  # a pooler gives each transaction another session
        given = {"fleet": self._fleet, "action": action, "wanted": wanted}
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_AGAIN_S)  # the session of a program that was killed ends in a moment
            if rows := self._asked(
                session, "begin_rollout", **given, pid=pid if is_direct else None
            ):
                return rollout_of(rows[0])
            if self._asked(session, "queued_of", fleet=self._fleet):
                break
        raise under_way(self._asked(session, "others", fleet=self._fleet), self._fleet)

    def put(self, rollout: int, wave: int, *results: Result) -> None:
        """Write down what became of databases of a wave."""
        with self._open() as session:
            rows = json.dumps(rows_of(results))
            self._asked(session, "put_results", rollout=rollout, wave=wave, rows=rows)

    def end(self, rollout: int, outcome: str) -> None:
        """Write down how a rollout has ended."""
        with self._open() as session:
            self._asked(session, "end_rollout", rollout=rollout, outcome=outcome)

    def last(self, action: str, number: int | None = None) -> Rollout:
        """Return the last rollout of a kind, or the one of a number.

        Raises:
            UsageError: there is none.
        """
        with self._open() as session:
            (there,) = session.ask(own_query("fleet", "has_rollouts"))
            rows: Sequence[Any] = ()
            if there.rows == (("t",),):
                given = {"fleet": self._fleet, "action": action, "number": number}
                rows = self._asked(session, "last_rollout", **given)
        if not rows:
            raise _no_rollout(self._fleet, number)
        return rollout_of(rows[0])

    def results(self, rollout: int) -> dict[str, Result]:
        """Return what became of each database in a rollout."""
        with self._open() as session:
            return results_of(self._asked(session, "results", rollout=rollout))

    def history(self, most: int) -> list[Past]:
        """Return so many of the last rollouts, the newest first."""
        with self._open() as session:
            (there,) = session.ask(own_query("fleet", "has_rollouts"))
            if there.rows != (("t",),):
                return []
            rows = self._asked(session, "rollout_history", fleet=self._fleet, most=most)
        return [_past_of(row) for row in rows]

    def at_work(self, rollout: int) -> int:
        """Return in how many databases a rollout is under way, though it has ended."""
        with self._open() as session:
            (there,) = session.ask(own_query("fleet", "has_queue"))
            if there.rows != (("t",),):
                return 0
            refuse_strange_queue(session)
            ((count, _),) = self._asked(session, "at_work", rollout=rollout, silent_s=SILENT_S)
            return int(count)

    def _asked(self, session: Session, block: str, **values: object) -> Sequence[Any]:
        return session.ask(f"{JUDGED};\n{own_query('fleet', block, **values)}")[-1].rows

    def _open(self) -> AbstractContextManager[Session]:
        return open_control(self._url)
