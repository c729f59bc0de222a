"""Asks a database for its ledger, and says whether it has something to do.

A database that has nothing to do is not worth a thread: one loop of events asks some hundreds of
them in a second. Whatever is not plain is left to the engine, which asks again in its own way.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

import psycopg
from psycopg import pq
from psycopg.generators import fetch_many

from pgvouch.config.project import Database
from pgvouch.engine.commands import pending
from pgvouch.errors import DriftError, VouchError
from pgvouch.fleet.judged import cause_of, state_of
from pgvouch.fleet.password import with_password
from pgvouch.fleet.target import Result, State, Target
from pgvouch.ledger import ledger
from pgvouch.ledger.rows import Applied
from pgvouch.postgres.connect_errors import connect_error
from pgvouch.postgres.result import result_of, rows_of, server_message
from pgvouch.postgres.session import OWN_PATH, QueryError

_CONNECT_S = 10


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
        return Result(target.name, state_of(error), cause=cause_of(error))
    except (OSError, ValueError):
        return None
    try:
        rows = await asyncio.wait_for(_rows(connection), _CONNECT_S)
    except (TimeoutError, OSError, ValueError, psycopg.Error, VouchError):
        return None
    finally:
        with suppress(psycopg.Error):
            await connection.close()
    if rows is None:
        return None
    seconds = time.monotonic() - began_s
    return stands(target.name, database, rows, to, seconds)


def stands(
    name: str, database: Database, rows: Sequence[Applied], to: str | None, seconds: float
) -> Result | None:
    """Return how a database stands by its ledger; None: the engine has to say it."""
    version = newest(rows)
    try:
        todo = pending(database, rows, to=to, out_of_order=False)
    except DriftError as exc:
        return Result(name, State.DRIFTED, seconds, version, cause=cause_of(exc))
    except VouchError:
        return None
    if todo.pending:
        return Result(name, State.PENDING, seconds, version, pending=len(todo.pending))
    if database.repeatables:
        return None  # whether they are due is in another table
    return Result(name, State.AHEAD if todo.ahead else State.CURRENT, seconds, version)


def newest(rows: Sequence[Applied]) -> str | None:
    """Return the migration that was applied last."""
    return rows[-1].id if rows else None


async def _rows(connection: "psycopg.AsyncConnection[object]") -> list[Applied] | None:
    for message in _messages():
        connection.pgconn.send_query(message)
        results = await connection.wait(fetch_many(connection.pgconn))
        if results[-1].status == pq.ExecStatus.TUPLES_OK:
            return ledger.rows_of([result_of(found, tuple(rows_of(found))) for found in results])
        if QueryError(server_message(results[-1]), ()).word != ledger.UNSURE:
            return None
    return None


@cache
def _messages() -> tuple[bytes, ...]:
    """Return what is asked; the second one only where the first is unsure."""
    asked = (ledger.read_sql(quickly=quickly) for quickly in (True, False))
    return tuple(f"{OWN_PATH};\n{statements}".encode() for statements in asked)
