"""The only opener of connections, and the only place where messages meet the wire.

A message is one simple-protocol string; PostgreSQL splits it into statements itself. libpq's
results are read one by one, because on an error psycopg's cursor forgets the results before it, and
their number tells which statement failed.
"""

import re
import select
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import psycopg
from psycopg import pq

from pgvouch.errors import ServerMessage
from pgvouch.files.variables import Mask
from pgvouch.postgres.connect import open_connection
from pgvouch.postgres.result import (
    BRIEF,
    Growth,
    Result,
    Tally,
    command_of,
    masked,
    result_of,
    rows_of,
    server_message,
)

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

_COPY = {pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH}
_FAILED = {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE}
_DONE = pq.ExecStatus.COMMAND_OK
_CANCEL_S = 2.0
_NAME_CUT = "42622"  # name_too_long: an identifier is cut at 63 bytes
_CHUNKS_SINCE = 170000  # of libpq
_ROWS_AT_ONCE = 8  # they may be large
_NOTHING: Mapping[int, bool] = {}
_NO_NUMBER = "22P02"  # invalid_text_representation
_WORD = re.compile(r"pgvouch: (\w+)")
_STILL_CONNECTED = pq.ConnStatus.OK
OWN_SCHEMAS = "pg_catalog, pg_temp"
OWN_PATH = f"set local search_path = {OWN_SCHEMAS}"
"""Goes ahead of pgvouch's statements: otherwise a role that may create objects in a schema of the
search_path could put a function or operator there that fits better than the built-in one."""
READING = ("savepoint pgvouch_own", OWN_PATH)
READ = ("rollback to savepoint pgvouch_own", "release savepoint pgvouch_own")
"""Go around pgvouch's statements that read in an author's transaction: they restore its
search_path, and release the locks."""


class QueryError(Exception):
    """PostgreSQL refused a statement of a message."""

    def __init__(self, server: ServerMessage, done: tuple[Result, ...]) -> None:
        super().__init__(server.primary)
        self.server = server
        self.done = done
        """The results of the statements before the one that failed."""

    @property
    def word(self) -> str | None:
        """Why a statement of ours has failed itself, with a cast of this word to a number."""
        found = _WORD.search(self.server.primary) if self.server.sqlstate == _NO_NUMBER else None
        return found[1] if found else None


class ConnectionLost(Exception):  # noqa: N818 - it is an event, not a mistake
    """The connection ended while a message was under way."""


class TooMuchError(ConnectionLost):
    """The server sends more in one piece than we hold in memory."""

    def __init__(self) -> None:
        super().__init__(f"the server send more than {Growth.MOST_MB} MB in one piece")


class Session:
    """One connection, spoken to in messages."""

    def __init__(self, connection: psycopg.Connection[Any], conninfo: str = "") -> None:
        self.connection = connection
        self.conninfo = conninfo
        """As it was given, password and all: for further connections, never for people."""
        self.while_waiting: Callable[[], None] | None = None
        """Called again and again while no answer comes."""
        self.waiting_interval_s = 0.1
        self._waited_at_s = 0.0
        self.while_busy: Callable[[], None] | None = None
        """Called once, when the next message is sent: work for which the server need not wait."""
        self.sample = BRIEF
        """What is kept of results that are only counted."""
        self._pgconn = connection.pgconn
        self._until_s: float | None = None
        """The moment after which an answer is not waited for any more."""
        self._grown = Growth()
        self.mask = Mask()
        """Hides the values of variables in whatever the server says."""
        self._notice_handlers: list[Callable[[psycopg.errors.Diagnostic], None]] = []

    @classmethod
    def open(
        cls, conninfo: str, application_name: str = "pgvouch", *, within_s: float | None = None
    ) -> Self:
        """Connect.

        Args:
            conninfo: a libpq connection string or URL; libpq's environment and service files work.
            application_name: what pg_stat_activity shows.
            within_s: how long the server may take at most; None: what the URL says, or 10 s.

        Raises:
            ConnectError: with what the server or libpq said, never with the password.
            UsageError: a connection string that cannot be read.
        """
        return cls(open_connection(conninfo, application_name, within_s=within_s), conninfo)

    def reopen(self) -> None:
        """Connect anew where the connection is gone, with the same handlers of notices.

        Raises:
            ConnectError: no connection came about.
        """
        self.connection.close()
        self.connection = open_connection(self.conninfo, "pgvouch", within_s=self.left_s)
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
    def left_s(self) -> float | None:
        """The seconds for which an answer is still waited for; None where there is no limit."""
        return None if self._until_s is None else max(self._until_s - time.monotonic(), 0.0)

    def on_notice(self, handler: Callable[[str, str], None]) -> None:
        """Call `handler(severity, text)` for every notice of the server."""

        def forward(diagnostic: psycopg.errors.Diagnostic) -> None:
            severity = diagnostic.severity_nonlocalized or "NOTICE"
            if diagnostic.sqlstate == _NAME_CUT:  # a name should not be cut unseen
                severity = "WARNING"
            handler(severity, self.mask(diagnostic.message_primary or ""))

        self._notice_handlers.append(forward)
        self.connection.add_notice_handler(forward)

    def run(
        self,
        message: str,
        *,
        rows_of_first: int | None = None,
        rows_from: str = "",
        tallied: Mapping[int, bool] = _NOTHING,
    ) -> tuple[Result, ...]:
        """Send one message and read all its results.

        Args:
            message: SQL, any number of statements; nothing in it is interpolated.
            rows_of_first: how many results are wanted with their rows; None means all. What a
                migration selects may be large, and is not read.
            rows_from: from the result whose only column is called that, rows are wanted again.
            tallied: which results are only counted, and whether their rows are digested.

        Returns:
            A result a statement, in order.

        Raises:
            QueryError: a statement failed; `done` holds the results before it.
            ConnectionLost: no answer will come.
            TooMuchError: the answer is too large; the connection is closed.
        """
        try:
            self._speak_utf8()
            self._pgconn.send_query(message.encode())
            self._grown = Growth(watched=rows_of_first is not None)
            if rows_of_first is not None and pq.version() >= _CHUNKS_SINCE:
                # Rows that are not read come and go; libpq would hold a million of them.
                self._pgconn.set_chunked_rows_mode(_ROWS_AT_ONCE)
            self._flush()
            if self.while_busy is not None:
                work, self.while_busy = self.while_busy, None
                work()
            return self._results(rows_of_first, tallied, rows_from)
        except psycopg.OperationalError as exc:
            raise ConnectionLost(str(exc).strip()) from exc
        except KeyboardInterrupt:
            self._cancel()
            raise

    def ask(self, statements: str) -> tuple[Result, ...]:
        """Run pgvouch's statements, with names resolved in pg_catalog whatever the search_path is.

        Args:
            statements: separated by semicolons. Outside of a transaction block they form one and
                may write; inside of one they may only read, for a savepoint takes them back.

        Returns:
            A result a statement, in order.

        Raises:
            QueryError: a statement failed; `done` holds the results before it.
            ConnectionLost: no answer will come.
        """
        ahead, behind = ((OWN_PATH,), ()) if self.is_idle else (READING, READ)
        try:
            results = self.run("\n;".join((*ahead, statements, *behind)))
        except QueryError as exc:
            raise QueryError(exc.server, exc.done[len(ahead) :]) from None
        return results[len(ahead) : len(results) - len(behind)]

    def _speak_utf8(self) -> None:
        # A migration may have changed it, and the server reads the next message accordingly. A
        # pooler spells it as we did; in a failed transaction only its end is heard.
        spelled = (self._pgconn.parameter_status(b"client_encoding") or b"").upper()
        failed = self._pgconn.transaction_status == pq.TransactionStatus.INERROR
        if spelled not in {b"UTF8", b"UTF-8", b"UNICODE"} and not failed:
            self._pgconn.send_query(b"set client_encoding = 'UTF8'")
            self._flush()
            self._results(0)

    def roll_back(self) -> None:
        """End an open transaction, where there is one and a server to hear it."""
        if not self.is_idle:
            self.try_run("rollback")

    def try_run(self, message: str) -> None:
        """Send a message whose failure changes nothing, such as ROLLBACK on a dying connection."""
        try:
            self.run(message)
        except (QueryError, ConnectionLost):
            return

    def _results(
        self, rows_of_first: int | None, tallied: Mapping[int, bool] = _NOTHING, rows_from: str = ""
    ) -> tuple[Result, ...]:
        done: list[Result] = []
        arriving = _Arriving(rows_of_first, rows_from, tallied, self.sample.rows)
        error: ServerMessage | None = None
        while (result := self._next_result()) is not None:
            status = result.status
            if status in _COPY:
                self._leave_copy(status)
                error = error or ServerMessage("0A000", "COPY with data from or to the client")
            elif status in _FAILED:
                error = error or server_message(result)
                self._grown = Growth()  # its copies are no message, and nothing large follows it
            elif error is None and status == _DONE:
                done.append(command_of(result))
            elif error is None and status != pq.ExecStatus.EMPTY_QUERY:
                done += arriving.add(result, len(done))
        if error is not None:
            if self._pgconn.status != _STILL_CONNECTED:
                raise ConnectionLost(self.mask(error.primary))
            raise QueryError(masked(error, self.mask), tuple(done))
        return tuple(done)

    def _next_result(self) -> "PGresult | None":
        while self._pgconn.is_busy():
            if not self._grown.is_fresh:
                self._refuse_too_much()
            self._await()
        self._grown.restart()
        return self._pgconn.get_result()

    def _flush(self) -> None:
        # A long message and a long answer would block each other if the answer were not read.
        while self._pgconn.flush():
            self._await(self._pgconn.socket)

    def _await(self, *writing: int) -> None:
        """Wait until there is something to read (or room to write), and read it."""
        watched, left_s = self.while_waiting, self.left_s
        interval = self.waiting_interval_s if watched else None
        if left_s is not None:
            interval = left_s if interval is None else min(interval, left_s)
        readable, writable, _ = select.select([self._pgconn.socket], writing, [], interval)
        if readable:
            self._grown.skip()
            self._pgconn.consume_input()
        elif left_s == 0:
            self.connection.close()
            raise ConnectionLost("the server does not answer")
        # Answers may also come one close behind the other, for hours.
        is_late = time.monotonic() - self._waited_at_s > self.waiting_interval_s
        if watched and not writable and (is_late or not readable):
            self._waited_at_s = time.monotonic()
            watched()

    def _refuse_too_much(self) -> None:
        if self._grown.is_too_much():
            self.connection.close()
            raise TooMuchError

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Wait no longer than that for all answers inside together.

        Raises:
            ConnectionLost: the time is over; the connection is closed then.
        """
        before = self._until_s
        until_s = time.monotonic() + seconds
        self._until_s = until_s if before is None else min(until_s, before)
        try:
            yield
        finally:
            self._until_s = before

    def _leave_copy(self, status: int) -> None:
        if status == pq.ExecStatus.COPY_IN:
            self._pgconn.put_copy_end(b"a migration is SQL alone")
            return
        while (size := self._pgconn.get_copy_data(1)[0]) != -1:
            if size == 0:
                self._await()

    def _cancel(self) -> None:
        """Cancel the running statement and read its end, so that the session can be used on."""
        watching, self.while_waiting = self.while_waiting, None
        try:
            with self.limited(_CANCEL_S):
                self.connection.cancel_safe(timeout=_CANCEL_S)
                self._results(0)
        except QueryError:  # which is what was asked for
            return
        except (psycopg.Error, ConnectionLost):
            self.connection.close()
        finally:
            self.while_waiting = watching


class _Arriving:
    """The rows of a message's statements, as they arrive."""

    def __init__(
        self, rows_of_first: int | None, rows_from: str, tallied: Mapping[int, bool], kept: int
    ) -> None:
        self._wanted, self._mark = rows_of_first, rows_from.encode()
        self._tallied, self._kept = tallied, kept
        self._rows: list[tuple[str | None, ...]] = []
        self._tally: Tally | None = None

    def add(self, result: "PGresult", number: int) -> tuple[Result, ...]:
        """Take some rows of a statement, and return its outcome if they were the last."""
        if self._mark and result.nfields == 1 and result.fname(0) == self._mark:
            self._wanted = None
        if number in self._tallied:
            if self._tally is None:
                self._tally = Tally(digested=self._tallied[number], kept=self._kept)
            self._tally.add(result)
        elif self._wanted is None or number < self._wanted:
            self._rows += rows_of(result)
        if result.status == pq.ExecStatus.TUPLES_CHUNK:
            return ()
        done = result_of(result, tuple(self._rows), self._tally)
        self._rows.clear()
        self._tally = None
        return (done,)
