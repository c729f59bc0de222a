"""Opens connections, with timeouts, so that nothing waits for a dead network without end."""

import os
import socket
from typing import Any

import psycopg

from pgvouch.address.conninfo import parts_of
from pgvouch.postgres.connect_errors import connect_error

CONNECT_S = 10
"""The longest that a server may take to let us in, where the URL says nothing else."""
_SHORTEST_S = 2  # libpq takes less for that much
_NETWORK = {
    "keepalives_idle": ("TCP_KEEPIDLE", 15),
    "keepalives_interval": ("TCP_KEEPINTVL", 5),
    "keepalives_count": ("TCP_KEEPCNT", 4),
    "tcp_user_timeout": ("TCP_USER_TIMEOUT", 35_000),
}
"""After 35 s without a sign of life from the other machine a connection has ended. libpq's settings
and the options of sockets that stand for them, the last one in milliseconds."""


def open_connection(
    conninfo: str, application_name: str, *, within_s: float | None = None
) -> psycopg.Connection[Any]:
    """Connect.

    Args:
        conninfo: a connection string or URL.
        application_name: what pg_stat_activity shows.
        within_s: how long the server may take at most, whatever the URL says.

    Raises:
        ConnectError: with what the server or libpq said, never with the password.
        UsageError: a connection string that cannot be read.
    """
    parts = parts_of(conninfo)
    limits: dict[str, Any] = {}
    if "connect_timeout" not in parts and "PGCONNECT_TIMEOUT" not in os.environ:
        limits["connect_timeout"] = CONNECT_S
    if within_s is not None:
        given = limits.get("connect_timeout") or _whole(parts.get("connect_timeout")) or within_s
        limits["connect_timeout"] = max(int(min(given, within_s)), _SHORTEST_S)
    try:
        connection = psycopg.connect(
            conninfo,
            autocommit=True,
            # A pooler may give the next statement to a backend that has not seen the PREPARE.
            prepare_threshold=None,
            fallback_application_name=application_name,
            client_encoding="utf8",
            **limits,
        )
    except psycopg.Error as exc:
        raise connect_error(exc, conninfo) from None
    _limit_silence(connection)
    return connection


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _limit_silence(connection: psycopg.Connection[Any]) -> None:
    """Set the limits that neither the URL nor a service file has set."""
    given = {o.keyword.decode(): o.val for o in connection.pgconn.info}
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        if wire.family == socket.AF_UNIX or given.get("keepalives") == b"0":
            return
        for setting, (name, value) in _NETWORK.items():
            option = getattr(socket, name, None)  # not every system has all of them
            if option is not None and not given.get(setting):
                wire.setsockopt(socket.IPPROTO_TCP, option, value)
