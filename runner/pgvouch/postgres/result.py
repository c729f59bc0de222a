"""What comes back over the wire: libpq's results as values."""

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import psycopg
from psycopg import pq

from pgvouch.errors import ServerMessage

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

_PAGE = resource.getpagesize()
_FIELD = pq.DiagnosticField


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one statement."""

    tag: str
    """PostgreSQL's command tag, e.g. `CREATE TABLE`."""
    columns: tuple[str, ...] | None
    """None where the statement returns no rows."""
    rows: tuple[tuple[str | None, ...], ...] = ()
    """In PostgreSQL's text form; of a result that was only counted, the first few."""
    count: int = 0
    """How many rows there were, where they were counted."""
    is_true: bool = False
    """Whether the first column was true in each of them."""
    digest: int = 0
    """Of all rows, whatever their order; it holds within this process."""


class Growth:
    """How much memory libpq asks for to hold one message of the server, which it reads whole.

    It cannot be made to stop reading. But it asks for all of the room as soon as it knows the
    length, so what is too large is noticed before it has arrived. What the process takes for
    itself meanwhile does not count, nor does what libpq gives back.
    """

    MOST_MB = 16
    """The room is doubled until a message fits: a longer one takes 32."""

    def __init__(self, *, watched: bool = False) -> None:
        self.watched = watched
        """What we ask for ourselves may be large, a stored rollback for example."""
        self._last_mb = _writable_mb() if watched else 0
        self.is_fresh = True
        """Whether nothing has arrived yet. A look costs more than a short answer."""
        self.restart()

    def restart(self) -> None:
        """Begin with another message."""
        self._begun_mb = self._last_mb
        self._taken_mb = 0

    def skip(self) -> None:
        """Leave out what was taken since the last look."""
        if self.watched and not self.is_fresh:
            self._last_mb = _writable_mb()
        self.is_fresh = False

    def is_too_much(self) -> bool:
        """Look at what libpq has done since the last look."""
        if not self.watched:
            return False
        now_mb = _writable_mb()
        self._taken_mb += max(now_mb - self._last_mb, 0)
        self._last_mb = now_mb
        grown_mb = min(now_mb - self._begun_mb, self._taken_mb)
        return grown_mb > self.MOST_MB * 3 // 2


def _writable_mb() -> int:
    """Return the memory that the process may write to, whether it has done so or not."""
    memory = _memory_of(os.getpid())
    if memory is None:
        return 0
    return int(os.pread(memory, 200, 0).split()[5]) * _PAGE >> 20


@lru_cache(maxsize=1)
def _memory_of(pid: int) -> int | None:
    """Return a file that tells of the process's memory; it is read twice a message."""
    try:
        return os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # not Linux: there is no limit
        return None


@dataclass(frozen=True, slots=True)
class Sample:
    """How much is kept of the rows that a check finds, to be shown."""

    rows: int = 10
    characters: int = 200
    """Of each value."""


BRIEF = Sample()
"""The rows may be people's, and a log is read by many."""
FULL = Sample(1000, 1000)


class Tally:
    """Rows that pass by: counted and judged, and only the first few kept."""

    MOST_CHARACTERS = 1_000_000
    """The row that goes beyond is the last one kept: each may be of many megabytes."""

    def __init__(self, *, digested: bool, kept: int = BRIEF.rows) -> None:
        self.digested = digested
        self._kept = kept
        self._characters = 0
        self.rows: list[tuple[str | None, ...]] = []
        self.count = 0
        self.is_true = True
        self.digest = 0

    def add(self, result: "PGresult") -> None:
        """Take some rows."""
        if len(self.rows) < self._kept and self._characters < self.MOST_CHARACTERS:
            for found in rows_of(result):
                self.rows.append(found)
                self._characters += sum(len(value or "") for value in found)
                if len(self.rows) == self._kept or self._characters >= self.MOST_CHARACTERS:
                    break
        number = result.ntuples
        self.count += number
        if self.digested:
            columns = range(result.nfields)
            for row in range(number):
                self.digest += hash(tuple([result.get_value(row, c) for c in columns]))
        else:
            values = (result.get_value(row, 0) for row in range(number))
            self.is_true &= result.nfields > 0 and all(value == b"t" for value in values)


def result_of(
    result: "PGresult", rows: tuple[tuple[str | None, ...], ...], tally: Tally | None = None
) -> Result:
    """Return the outcome of a statement, with the rows that were read of it, or their tally."""
    tag = (result.command_status or b"").decode()
    if result.status != pq.ExecStatus.TUPLES_OK:
        return Result(tag, None)
    columns = tuple([(result.fname(i) or b"").decode() for i in range(result.nfields)])
    if tally is not None:
        shown = tuple(tally.rows)
        return Result(tag, columns, shown, tally.count, tally.is_true, tally.digest)
    return Result(tag, columns, rows)


def command_of(result: "PGresult") -> Result:
    """Return the outcome of a statement that returns no rows."""
    return _command(result.command_status)


@lru_cache(maxsize=256)
def _command(tag: bytes | None) -> Result:
    return Result((tag or b"").decode(), None)


def rows_of(result: "PGresult") -> list[tuple[str | None, ...]]:
    """Return the rows of a result, in PostgreSQL's text form."""
    if not (number := result.ntuples):
        return []
    columns, get = range(result.nfields), result.get_value
    return [
        tuple(
            [
                None if (value := get(row, at)) is None else value.decode("utf-8", "replace")
                for at in columns
            ]
        )
        for row in range(number)
    ]


def said_by(exc: psycopg.Error) -> ServerMessage:
    """Return what PostgreSQL said in a psycopg error."""
    said = exc.diag
    return ServerMessage(
        exc.sqlstate,
        said.message_primary or str(exc).strip(),
        said.message_detail,
        said.message_hint,
        said.context,
    )


def masked(said: ServerMessage, mask: Callable[[str], str]) -> ServerMessage:
    """Return what PostgreSQL said without what a mask takes away."""

    def shown(text: str | None) -> str | None:
        return None if text is None else mask(text)

    return replace(
        said,
        primary=mask(said.primary),
        detail=shown(said.detail),
        hint=shown(said.hint),
        context=shown(said.context),
    )


def server_message(result: "PGresult") -> ServerMessage:
    """Return what PostgreSQL said, field by field."""

    def field(which: pq.DiagnosticField) -> str | None:
        value = result.error_field(which)
        return value.decode(errors="replace") if value else None

    position = field(_FIELD.STATEMENT_POSITION)
    primary = field(_FIELD.MESSAGE_PRIMARY)
    return ServerMessage(
        sqlstate=field(_FIELD.SQLSTATE),
        primary=primary or (result.error_message or b"").decode(errors="replace").strip(),
        detail=field(_FIELD.MESSAGE_DETAIL),
        hint=field(_FIELD.MESSAGE_HINT),
        context=field(_FIELD.CONTEXT),
        position=int(position) if position else None,
    )
