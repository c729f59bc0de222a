"""What became of each database in each rollout, in a file beside the project.

SQLite keeps it: one file, written by one process at a time, and readable by others meanwhile. It
holds names, versions and causes, and nothing of a URL.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgvouch.errors import UsageError
from pgvouch.fleet.target import Result, State

_SCHEMA = """
create table if not exists rollout (
  id integer primary key,
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
  wave text not null,
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
    action: str
    wanted: str | None
    """The last migration that was wanted; None: all."""
    began_at: datetime
    ended_at: datetime | None
    outcome: str | None
    """How it ended; None: it did not, or was killed."""


class Store:
    """The rollouts of the fleets of a project."""

    def __init__(self, path: Path, fleet: str) -> None:
        """Name the file, which is made when something is written, and the fleet."""
        self.path = path
        self._fleet = fleet

    def begin(self, action: str, wanted: str | None) -> int:
        """Write down that a rollout begins, and return its number."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as connection:
            connection.executescript(_SCHEMA)
            cursor = connection.execute(
                "insert into rollout (fleet, action, wanted, began_at) values (?, ?, ?, ?)",
                (self._fleet, action, wanted, _now()),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def put(self, rollout: int, wave: str, *results: Result) -> None:
        """Write down what became of databases."""
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
                    "select id, action, wanted, began_at, ended_at, outcome from rollout "
                    "where fleet = ? and action = ? and coalesce(id = ?, true) order by id desc",
                    (self._fleet, action, number),
                ).fetchone()
            if found:
                identifier, did, wanted, began, ended, outcome = found
                at = [datetime.fromisoformat(text) if text else None for text in (began, ended)]
                assert at[0] is not None
                return Rollout(identifier, did, wanted, at[0], at[1], outcome)
        which = f"number {number}" if number is not None else "here"
        raise UsageError(
            f"there is no rollout {which} in which the fleet {self._fleet} was migrated",
            hint="pgvouch fleet status shows how its databases stand",
        )

    def results(self, rollout: int) -> dict[str, Result]:
        """Return what became of each database in a rollout."""
        with self._open() as connection:
            rows = connection.execute(
                "select target, state, seconds, version, finished, cause from result "
                "where rollout = ?",
                (rollout,),
            ).fetchall()
        return {
            name: Result(
                name, State(state), seconds, version, tuple(json.loads(finished)), 0, cause
            )
            for name, state, seconds, version, finished, cause in rows
        }

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
                yield connection
        except sqlite3.Error as exc:
            raise UsageError(
                f"{self.path.name}, where results are kept, cannot be used: {exc}",
                hint="move it out of the way; the databases themselves know what is applied",
            ) from None


def _now() -> str:
    return datetime.now(UTC).isoformat()
