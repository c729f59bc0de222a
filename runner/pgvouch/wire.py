"""What comes back over the wire: libpq's results as values."""

import resource
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import pq

from pgvouch.errors import ServerMessage

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

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
    """How much memory libpq takes for one message of the server, which it reads whole.

    It needs some six times the size of an error or a notice, and nobody can tell it to read no
    further. So what is too large is noticed while it arrives. The process may grow for reasons of
    its own meanwhile, and libpq may give back what it took: both have to have grown.
    """

    MOST_MB = 24

    def __init__(self, *, watched: bool = False) -> None:
        self.watched = watched
        """What we ask for ourselves may be large, a stored rollback for example."""
        self._begun_mb: int | None = None
        self._taken_mb = 0

    def restart(self) -> None:
        """Begin with another message."""
        self._begun_mb = None
        self._taken_mb = 0

    def reading(self, read: Callable[[], None]) -> bool:
        """Have libpq read what has arrived, and say whether it is too much by now."""
        if not self.watched:
            read()
            return False
        before_mb = _resident_mb()
        read()
        now_mb = _resident_mb()
        self._begun_mb = before_mb if self._begun_mb is None else self._begun_mb
        self._taken_mb += max(now_mb - before_mb, 0)
        return min(now_mb - self._begun_mb, self._taken_mb) > self.MOST_MB


def _resident_mb() -> int:
    try:
        pages = Path("/proc/self/statm").read_bytes().split()[1]
    except OSError:  # not Linux: there is no limit
        return 0
    return int(pages) * resource.getpagesize() >> 20


class Tally:
    """Rows that pass by: counted and judged, and only the first few kept."""

    KEPT = 5

    def __init__(self, *, digested: bool) -> None:
        self.digested = digested
        self.rows: list[tuple[str | None, ...]] = []
        self.count = 0
        self.is_true = True
        self.digest = 0

    def add(self, result: "PGresult") -> None:
        """Take some rows."""
        if len(self.rows) < self.KEPT:
            self.rows += rows_of(result)[: self.KEPT - len(self.rows)]
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
    columns = tuple((result.fname(i) or b"").decode() for i in range(result.nfields))
    if tally is not None:
        shown = tuple(tally.rows)
        return Result(tag, columns, shown, tally.count, tally.is_true, tally.digest)
    return Result(tag, columns, rows)


def rows_of(result: "PGresult") -> list[tuple[str | None, ...]]:
    """Return the rows of a result, in PostgreSQL's text form."""
    return [
        tuple(_text(result.get_value(row, column)) for column in range(result.nfields))
        for row in range(result.ntuples)
    ]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def said_by(exc: psycopg.Error) -> ServerMessage:
    """Return what PostgreSQL said in an error of psycopg's."""
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
