"""Asks a database for its ledger, and says whether it has something to do.

A database that has nothing to do is not worth a thread: one loop of events asks some hundreds of
them in a second. Whatever is not plain is left to the engine, which asks again in its own way.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import psycopg
from psycopg import pq
from psycopg.generators import fetch_many
from psycopg.waiting import Wait, wait_async

from pgvouch.config.project import Database
from pgvouch.engine.commands import pending
from pgvouch.errors import DriftError, VouchError
from pgvouch.fleet.copied import alike, is_of, rows_of_copies
from pgvouch.fleet.judged import cause_of, state_of
from pgvouch.fleet.password import with_password
from pgvouch.fleet.target import Result, State, Target
from pgvouch.ledger import ledger
from pgvouch.ledger.rows import Applied
from pgvouch.postgres.connect_errors import connect_error
from pgvouch.postgres.result import result_of, rows_of
from pgvouch.postgres.session import OWN_PATH

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn, PGresult

_CONNECT_S = 10
_TURN_S = 0.1
"""After which psycopg asks again whether an answer has come."""


async def look(target: Target, database: Database, to: str | None = None) -> Result | None:
    """Ask a database how it stands.

    Args:
        target: which.
        database: the files.
        to: the last migration that is wanted; None means all.

    Returns:
        How it stands; None where only the engine can say it.
    """
    began_s = time.monotonic()
    try:
        conninfo = (await with_password(target)).conninfo
    except VouchError as exc:
        return Result(target.name, state_of(exc), cause=cause_of(exc))
    try:
        connection = await psycopg.AsyncConnection.connect(
            conninfo,
            autocommit=True,
            prepare_threshold=None,
            fallback_application_name="pgvouch fleet",
            client_encoding="utf8",
            connect_timeout=_CONNECT_S,
        )
    except psycopg.Error as exc:
        error = connect_error(exc, conninfo)
        return Result(target.name, state_of(error), cause=cause_of(error, conninfo))
    except (OSError, ValueError):
        return None
    try:
        async with asyncio.timeout(_CONNECT_S):
            found = await _stands(connection, database, to)
    except (TimeoutError, OSError, ValueError, psycopg.Error, VouchError):
        return None
    finally:
        with suppress(psycopg.Error):
            await connection.close()
    if found is None:
        return None
    return replace(found, target=target.name, seconds=time.monotonic() - began_s)


def _by_rows(database: Database, rows: Sequence[Applied], to: str | None) -> Result | None:
    """Return how a database stands, without its name; None: the engine has to say it."""
    version = newest(rows)
    try:
        todo = pending(database, rows, to=to, out_of_order=False)
    except DriftError as exc:
        return Result("", State.DRIFTED, version=version, cause=cause_of(exc))
    except VouchError:
        return None
    if todo.pending:
        return Result("", State.PENDING, version=version, pending=len(todo.pending))
    if database.repeatables:
        return None  # whether they are due is in another table
    return Result("", State.AHEAD if todo.ahead else State.CURRENT, version=version)


def newest(rows: Sequence[Applied]) -> str | None:
    """Return the migration that was applied last."""
    return rows[-1].id if rows else None


async def _stands(
    connection: "psycopg.AsyncConnection[object]", database: Database, to: str | None
) -> Result | None:
    pgconn = connection.pgconn
    copying, whole = _messages()
    pgconn.send_query(copying)
    # Not connection.wait: interrupted, it asks the server to cancel, and may tell stderr of it.
    whose, copies, last = await wait_async(_copied(pgconn), pgconn.socket, _TURN_S)
    if last.status != pq.ExecStatus.COMMAND_OK:
        return None
    if is_of(whose, copies[0]):
        read = copies[1:]
        return _by_copies(_Copied(alike(read), to, id(database), database, read))
    pgconn.send_query(whole)
    results = await wait_async(fetch_many(pgconn), pgconn.socket, _TURN_S)
    if results[-1].status != pq.ExecStatus.TUPLES_OK:
        return None
    rows = ledger.rows_of([result_of(found, tuple(rows_of(found))) for found in results])
    return _by_rows(database, rows, to)


@dataclass(frozen=True, slots=True)
class _Copied:
    """A ledger as it was copied, equal to others by which a database stands as by this one."""

    alike: tuple[bytes, ...]
    to: str | None
    files: int
    """Which `database` it is: to compare the files themselves would take longer than to judge."""
    database: Database = field(compare=False)
    copies: list[list[bytes]] = field(compare=False)


@lru_cache(maxsize=64)
def _by_copies(copied: _Copied) -> Result | None:
    """Return how a database stands; the databases of a fleet mostly stand alike."""
    return _by_rows(copied.database, rows_of_copies(copied.copies), copied.to)


def _copied(pgconn: "PGconn") -> "PQGen[tuple[bytes | None, list[list[bytes]], PGresult]]":
    """Read the answer to a message with COPYs: the role, the lines of each, and the last result."""
    whose: bytes | None = None
    copies: list[list[bytes]] = []
    while (results := (yield from fetch_many(pgconn)))[-1].status == pq.ExecStatus.COPY_OUT:
        whose = next((r.get_value(0, 0) for r in results if r.ntuples), whose)
        lines: list[bytes] = []
        while (size := (got := pgconn.get_copy_data(1))[0]) != -1:
            if size:
                lines.append(bytes(got[1]))
                continue
            while not (yield Wait.R):
                pass
            pgconn.consume_input()
        copies.append(lines)
    return whose, copies, results[-1]


@cache
def _messages() -> tuple[bytes, bytes]:
    """Return what is asked; the second one only where another role owns the ledger."""
    copying, whole = ledger.copy_sql(), ledger.read_sql()
    return f"{OWN_PATH};\n{copying}".encode(), f"{OWN_PATH};\n{whole}".encode()
