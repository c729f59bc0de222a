"""Who is in the way of a message, in words for people; and what its backend is doing meanwhile."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from pgvouch.errors import ConnectError
from pgvouch.events import Listener, Waiting
from pgvouch.postgres.session import ConnectionLost, QueryError, Session
from pgvouch.sqltext.own import Raw, literal, own_query
from pgvouch.sqltext.place import excerpt

_LONGEST_QUERY = 80
_LONGEST_LOOK_S = 5.0
_REPORTS_S = 1.0
_MARKER = re.compile(r"/\* pgvouch .*? \*/\s*")
_VALUE = re.compile(r"'(?:[^']|'')*(?:'|\Z)")


@dataclass(frozen=True, slots=True)
class Blocker:
    """A backend that holds a lock, as far as our role may see it."""

    pid: int
    role: str | None
    application: str | None
    address: str | None
    state: str | None
    age_s: float | None
    """How long its transaction is open."""
    query: str | None
    mode: str | None
    """The lock that we want, e.g. AccessExclusiveLock."""
    relation: str | None

    @classmethod
    def of(cls, row: Sequence[str | None]) -> Self:
        """Return the blocker in a row of the query `blockers`, or of one with its columns."""
        pid, role, application, address, state, age, query, mode, relation = row
        age_s = float(age) if age else None
        return cls(int(pid or 0), role, application, address, state, age_s, query, mode, relation)

    def __str__(self) -> str:
        who = f"pid {self.pid}" if self.pid else "a prepared transaction"
        facts = [self.application, self.role and f"role {self.role}"]
        facts += [self.address and f"from {self.address}"]
        told = ", ".join(fact for fact in facts if fact)
        text = f"{who} ({told})" if told else who
        if self.age_s is not None:
            text += f", in a transaction for {_age(self.age_s)}"
        if self.state and self.state != "active":
            text += f", {self.state}"
        # Of a runner the application's name says what it does, and its message begins with resets.
        if self.query and not _MARKER.match(self.query):
            text += f": {_short(self.query)}"
        return text


def _short(query: str) -> str:
    """Return the beginning of a statement, without the values in it: a log is read by many."""
    words = " ".join(_VALUE.sub("'…'", query).split())
    shown = "".join(c if c.isprintable() else "?" for c in words)
    return excerpt(shown, _LONGEST_QUERY)


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def look_at(blockers: Sequence[Blocker]) -> str:
    """Return the command that shows the blockers again."""
    if any(blocker.pid == 0 for blocker in blockers):
        return "select * from pg_prepared_xacts"
    pids = ", ".join(str(blocker.pid) for blocker in blockers)
    return f"select * from pg_stat_activity where pid in ({pids})"


@dataclass
class Watch:
    """While a message waits, looks over a second connection for the sessions that block it, and for
    what PostgreSQL reports of its backend.

    It costs nothing until a message has waited for a while.
    """

    conninfo: str
    listener: Listener
    marker: str = ""
    """The comment that our message begins with."""
    pid: int = 0
    """Our backend, once the transaction has begun and its pid is known."""
    seen: tuple[Blocker, ...] = ()
    """The blockers of the last look that found any."""
    reported: tuple[str | None, float | None] = (None, None)
    """What PostgreSQL says that our backend does, and how much of it is done, in percent."""
    every_s: float = 1.0
    _session: Session | None = field(default=None, repr=False)
    _is_blind: bool = False
    _look_at_s: float = 0.0
    _ask_at_s: float = 0.0

    def begin(self, marker: str, every_s: float) -> None:
        """Forget what was seen: another message begins, whose blockers are looked for that often.

        What PostgreSQL reports of a backend is asked for after a second, and once in a second.
        """
        self.marker = marker
        self.pid, self.seen, self.reported = 0, (), (None, None)
        self.every_s, now_s = every_s, time.monotonic()
        self._look_at_s, self._ask_at_s = now_s + every_s, now_s + _REPORTS_S

    def __call__(self) -> None:
        """Look, if it is time to, and tell where another session is in the way than before."""
        now_s = time.monotonic()
        if self._is_blind or not self.marker or now_s < self._look_at_s:
            return
        self._look_at_s = now_s + self.every_s
        own = f"a.pid = {self.pid}" if self.pid else f"starts_with(a.query, {literal(self.marker)})"
        query = own_query("postgres", "blockers", own=Raw(own))
        if now_s >= self._ask_at_s:
            self._ask_at_s = now_s + _REPORTS_S
            query += f";\n{own_query('postgres', 'progress', own=Raw(own))}"
        try:
            self._session = self._session or Session.open(
                self.conninfo, "pgvouch watch", within_s=_LONGEST_LOOK_S
            )
            with self._session.limited(_LONGEST_LOOK_S):
                result, *reports = self._session.ask(query)
        except (ConnectError, QueryError, ConnectionLost):
            # There may be no connection left for us; what we wait for is not made better by that.
            self._is_blind = True
            return
        for report in reports:
            doing, percent = report.rows[0] if report.rows else (None, None)
            self.reported = doing, float(percent) if percent else None
        found = tuple(Blocker.of(row) for row in result.rows)
        if found and {b.pid for b in found} != {b.pid for b in self.seen}:
            tell_of_blockers(self.listener, found)
        self.seen = found or self.seen

    def close(self) -> None:
        """End the connection, if there is one; no other comes about before the next `begin`."""
        self.marker = ""
        if self._session is not None:
            self._session.connection.close()
            self._session = None


def tell_of_blockers(listener: Listener, blockers: Sequence[Blocker]) -> None:
    """Tell a listener who is in the way of a waiting message."""
    wanted = next((b for b in blockers if b.relation), None)
    what = f"{wanted.relation} ({wanted.mode})" if wanted else "a lock"
    about = f"{wanted.relation if wanted else ''} {sorted({b.pid for b in blockers})}"
    listener(Waiting(f"waiting for {what}, held by {blockers[0]}", None, about))
