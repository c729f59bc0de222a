"""What comes back over the wire: libpq's results as values."""

from collections.abc import Callable
from dataclasses import dataclass, replace
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
    """In PostgreSQL's text form."""


def result_of(result: "PGresult", rows: tuple[tuple[str | None, ...], ...]) -> Result:
    """Return the outcome of a statement, with the rows that were read of it."""
    tag = (result.command_status or b"").decode()
    if result.status != pq.ExecStatus.TUPLES_OK:
        return Result(tag, None)
    columns = tuple((result.fname(i) or b"").decode() for i in range(result.nfields))
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
