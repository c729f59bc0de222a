"""The only opener of connections, and the only place where messages meet the wire.

A message is one simple-protocol string; PostgreSQL splits it into statements itself. libpq's
results are read one by one, because on an error psycopg's cursor forgets the results before it, and
their number tells which statement failed.
"""

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import psycopg
from psycopg import pq

from pgvouch.errors import ServerMessage
from pgvouch.refused import connect_error

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

_FIELD = pq.DiagnosticField
_COPY = {pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH}
_CANCEL_S = 2.0
_STILL_CONNECTED = pq.ConnStatus.OK


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one statement."""

    tag: str
    """PostgreSQL's command tag, e.g. `CREATE TABLE`."""
    columns: tuple[str, ...] | None
    """None where the statement returns no rows."""
    rows: tuple[tuple[str | None, ...], ...] = ()
    """In PostgreSQL's text form."""


class QueryError(Exception):
    """PostgreSQL refused a statement of a message."""

    def __init__(self, server: ServerMessage, done: tuple[Result, ...]) -> None:
        super().__init__(server.primary)
        self.server = server
        self.done = done
        """The results of the statements before the one that failed."""


class ConnectionLost(Exception):  # noqa: N818 - it is an event, not a mistake
    """The connection ended while a message was under way."""


@contextmanager
def noticing_loss(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Let what psycopg's own calls say of a lost connection be said in our words.

    Raises:
        ConnectionLost: the connection ended inside.
    """
    try:
        yield
    except psycopg.OperationalError as exc:
        if connection.closed:
            raise ConnectionLost(str(exc).strip()) from exc
        raise


class Session:
    """One connection, spoken to in messages."""

    def __init__(self, connection: psycopg.Connection[Any], conninfo: str = "") -> None:
        self.connection = connection
        self.conninfo = conninfo
        """As it was given, password and all: for further connections, never for people."""
        self.while_waiting: Callable[[], None] | None = None
        """Called again and again while no answer comes."""
        self.waiting_interval_s = 1.0
        self._pgconn = connection.pgconn
        self._notice_handlers: list[Callable[[psycopg.errors.Diagnostic], None]] = []

    @classmethod
    def open(cls, conninfo: str, application_name: str = "pgvouch") -> Self:
        """Connect.

        Args:
            conninfo: a libpq connection string or URL; libpq's environment and service files work.
            application_name: what pg_stat_activity shows.

        Raises:
            ConnectError: with what the server or libpq said, never with the password.
        """
        return cls(_connect(conninfo, application_name), conninfo)

    def reopen(self) -> None:
        """Connect anew where the connection is gone; notices go on being told.

        Raises:
            ConnectError: no connection came about.
        """
        self.connection.close()
        self.connection = _connect(self.conninfo, "pgvouch")
        self._pgconn = self.connection.pgconn
        for handler in self._notice_handlers:
            self.connection.add_notice_handler(handler)

    def revive(self) -> None:
        """Connect anew if the connection was lost while it was idle.

        Raises:
            ConnectError: no connection came about.
        """
        try:
            self.run("")
        except ConnectionLost:
            self.reopen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.connection.close()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction block is open and sound."""
        return self._pgconn.transaction_status == pq.TransactionStatus.INTRANS

    @property
    def is_idle(self) -> bool:
        """Whether no transaction block is open."""
        return self._pgconn.transaction_status == pq.TransactionStatus.IDLE

    @property
    def server_version(self) -> int:
        """PostgreSQL's version as a number: 180004."""
        return self._pgconn.server_version

    def on_notice(self, handler: Callable[[str, str], None]) -> None:
        """Call `handler(severity, text)` for every notice of the server."""

        def forward(diagnostic: psycopg.errors.Diagnostic) -> None:
            severity = diagnostic.severity_nonlocalized or "NOTICE"
            handler(severity, diagnostic.message_primary or "")

        self._notice_handlers.append(forward)
        self.connection.add_notice_handler(forward)

    def run(self, message: str, *, rows_of_first: int | None = None) -> tuple[Result, ...]:
        """Send one message and read all its results.

        Args:
            message: SQL, any number of statements; nothing in it is interpolated.
            rows_of_first: how many results are wanted with their rows; None means all. What a
                migration selects may be large, and nobody reads it.

        Returns:
            A result a statement, in order.

        Raises:
            QueryError: a statement failed; `done` holds the results before it.
            ConnectionLost: no answer will come.
        """
        try:
            self._pgconn.send_query(message.encode())
            self._flush()
            return self._results(rows_of_first)
        except psycopg.OperationalError as exc:
            raise ConnectionLost(str(exc).strip()) from exc
        except KeyboardInterrupt:
            self._cancel()
            raise

    def try_run(self, message: str) -> None:
        """Send a message whose failure changes nothing, such as ROLLBACK on a dying connection."""
        try:
            self.run(message)
        except (QueryError, ConnectionLost):
            return

    def _results(self, rows_of_first: int | None) -> tuple[Result, ...]:
        done: list[Result] = []
        error: ServerMessage | None = None
        while (result := self._next_result()) is not None:
            if result.status in _COPY:
                self._leave_copy(result.status)
                error = error or ServerMessage("0A000", "COPY with data from or to the client")
            elif result.status in {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE}:
                error = error or _server_message(result)
            elif error is None and result.status != pq.ExecStatus.EMPTY_QUERY:
                wanted = rows_of_first is None or len(done) < rows_of_first
                done.append(_result(result, keep_rows=wanted))
        if error is not None:
            if self._pgconn.status != _STILL_CONNECTED:
                raise ConnectionLost(error.primary)
            raise QueryError(error, tuple(done))
        return tuple(done)

    def _next_result(self) -> "PGresult | None":
        while self._pgconn.is_busy():
            watched = self.while_waiting
            interval = self.waiting_interval_s if watched else None
            readable, _, _ = select.select([self._pgconn.socket], [], [], interval)
            if readable:
                self._pgconn.consume_input()
            elif watched:
                watched()
        return self._pgconn.get_result()

    def _flush(self) -> None:
        # A long message and a long answer would block each other if the answer were not read.
        while self._pgconn.flush():
            readable, _, _ = select.select([self._pgconn.socket], [self._pgconn.socket], [])
            if readable:
                self._pgconn.consume_input()

    def _leave_copy(self, status: int) -> None:
        if status == pq.ExecStatus.COPY_IN:
            self._pgconn.put_copy_end(b"a migration is SQL alone")
            return
        while True:
            size, _ = self._pgconn.get_copy_data(0)
            if size == -1:
                return

    def _cancel(self) -> None:
        """Cancel the running statement and read its end, so that the session can be used on."""
        deadline = time.monotonic() + _CANCEL_S

        def give_up() -> None:
            if time.monotonic() > deadline:
                raise ConnectionLost("no answer to the request to cancel")

        watching = self.while_waiting, self.waiting_interval_s
        self.while_waiting, self.waiting_interval_s = give_up, _CANCEL_S / 4
        try:
            self.connection.cancel_safe(timeout=_CANCEL_S)
            self._results(0)
        except QueryError:  # which is what was asked for
            return
        except (psycopg.Error, ConnectionLost):
            self.connection.close()
        finally:
            self.while_waiting, self.waiting_interval_s = watching


def _connect(conninfo: str, application_name: str) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(
            conninfo,
            autocommit=True,
            # A pooler may give the next statement to a backend that has not seen the PREPARE.
            prepare_threshold=None,
            fallback_application_name=application_name,
            client_encoding="utf8",
        )
    except psycopg.Error as exc:
        raise connect_error(exc, conninfo) from None


def _result(result: "PGresult", *, keep_rows: bool) -> Result:
    tag = (result.command_status or b"").decode()
    if result.status != pq.ExecStatus.TUPLES_OK:
        return Result(tag, None)
    columns = tuple((result.fname(i) or b"").decode() for i in range(result.nfields))
    rows = tuple(
        tuple(_text(result.get_value(row, column)) for column in range(result.nfields))
        for row in range(result.ntuples if keep_rows else 0)
    )
    return Result(tag, columns, rows)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def _server_message(result: "PGresult") -> ServerMessage:
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
