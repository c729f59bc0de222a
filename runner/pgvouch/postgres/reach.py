"""Connections for commands: waiting for a server, creating a database, telling of a loss."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pgvouch.errors import (
    ConnectError,
    MigrationError,
    NoDatabaseError,
    NotReadyError,
    TooManyConnectionsError,
)
from pgvouch.events import Listener, Waiting, silent
from pgvouch.postgres.connect_errors import knows_no_transactions
from pgvouch.postgres.session import ConnectionLost, QueryError, Session

if TYPE_CHECKING:
    from pgvouch.postgres.retry import FailedAttempt


def open_session(
    url: str,
    *,
    application_name: str,
    create: bool = False,
    wait_s: float = 0.0,
    tell: Listener = silent,
) -> Session:
    """Open a session, creating a missing database where that is wanted.

    Args:
        url: where.
        application_name: what pg_stat_activity shows.
        create: whether a missing database is created.
        wait_s: how long to wait for a server that does not answer, or is starting up.
        tell: is told about the wait.

    Raises:
        ConnectError: with what was said, never with the password.
    """

    def waiting(refusal: "FailedAttempt") -> None:
        tell(Waiting(str(refusal.error), refusal.remaining_s))

    until_s = time.monotonic() + wait_s

    def attempt() -> Session:
        within_s = max(until_s - time.monotonic(), 0.0) if wait_s else None
        try:
            return Session.open(url, application_name, within_s=within_s)
        except NoDatabaseError:
            if not create:
                raise
            create_database(url)
            return Session.open(url, application_name)

    if not wait_s:
        return attempt()
    from pgvouch.postgres.retry import RetryLimits, retry

    limits = RetryLimits(wait_s, first_s=0.2, longest_s=2.0)
    return retry(attempt, limits, again=_may_come_up, tell=waiting)


@contextmanager
def telling_of_loss() -> Iterator[None]:
    """Say of a connection that is lost inside that it was, and that no migration was under way.

    Raises:
        ConnectError: it was lost.
    """
    try:
        yield
    except ConnectionLost as exc:
        if error := knows_no_transactions(str(exc)):
            raise error from exc
        raise ConnectError(
            "the connection was lost",
            notes=str(exc).splitlines()[:3],
            state="No migration was under way.",
            hint="the same command again; --wait 60s waits for the server",
        ) from exc


def _may_come_up(exc: BaseException) -> bool:
    return isinstance(exc, (NotReadyError, TooManyConnectionsError))


def create_database(url: str) -> str:
    """Create the database that a URL names, from the maintenance database `postgres`.

    Returns:
        Its name.

    Raises:
        MigrationError: the role may not create databases.
    """
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.sql import Identifier

    name = str(conninfo_to_dict(url)["dbname"])
    with Session.open(make_conninfo(url, dbname="postgres")) as session:
        try:
            session.run(f"create database {Identifier(name).as_string(None)}")
        except QueryError as exc:
            if exc.server.sqlstate not in {"42P04", "23505"}:  # another runner was quicker
                raise MigrationError(
                    f"the database {name} cannot be created: {exc.server.primary}",
                    server=exc.server,
                    hint=f"let its administrator create it: createdb {name}",
                ) from None
    return name
