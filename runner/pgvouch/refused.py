"""Why there is no connection: what libpq or the server said, as an error with a way on."""

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pgvouch.errors import (
    AuthenticationError,
    ConnectError,
    NoDatabaseError,
    NotReadyError,
    TooManyConnectionsError,
)

# libpq does not hand out the SQLSTATE of a refused connection, so its words have to do; where they
# are in another language the general error is given, with the same words in it.
_NOT_READY = (
    "the database system is starting up",
    "the database system is shutting down",
    "the database system is in recovery mode",
    "the database system is not yet accepting connections",
    "not accepting connections",
    "Connection refused",
    "No such file or directory",
    "could not translate host name",
    "Connection reset by peer",
    "Connection timed out",
    "timeout expired",
    "server closed the connection unexpectedly",
    "No route to host",
    "Network is unreachable",
    "connection timeout",
)
_TOO_MANY = (
    "too many clients already",
    "remaining connection slots are reserved",
    "too many connections for",
    "no more connections allowed",
)
_AUTHENTICATION = (
    "password authentication failed",
    "no password supplied",
    "authentication failed for user",
    "no pg_hba.conf entry",
    "SASL authentication failed",
)


def describe(conninfo: str) -> str:
    """Return a connection string for people: host, port and database, no password."""
    try:
        parts = conninfo_to_dict(conninfo)
    except psycopg.Error:
        return "the given URL"
    host = str(parts.get("host") or "")
    where = "" if host.startswith("/") else host
    port = f":{parts['port']}" if parts.get("port") and where else ""
    name = parts.get("dbname") or parts.get("service") or ""
    return f"{name} at {where}{port}" if where else str(name)


def connect_error(exc: psycopg.Error, conninfo: str) -> ConnectError:
    """Return the error for a connection that did not come about, without the password."""
    try:
        parts = conninfo_to_dict(conninfo)
    except psycopg.Error:
        return ConnectError(
            "the URL cannot be read",
            hint="write postgresql://user@host:5432/database; percent-encode @ : / ? in a password",
        )
    said = str(exc).strip()
    if password := str(parts.get("password") or ""):
        said = said.replace(password, "***")
    notes = said.splitlines()
    where = describe(conninfo)
    name = parts.get("dbname")
    if f'database "{name}" does not exist' in said:
        return NoDatabaseError(
            f"the database {name} does not exist",
            notes=notes,
            hint=f"pgvouch migrate --create-database, or createdb {name}",
        )
    if any(words in said for words in _AUTHENTICATION):
        return AuthenticationError(
            f"{where} does not let us in",
            notes=notes,
            hint="check the user and the password of the URL (PGPASSWORD and ~/.pgpass count too), "
            "and pg_hba.conf on the server",
        )
    if any(words in said for words in _TOO_MANY):
        return TooManyConnectionsError(
            f"{where} has no connection left",
            notes=notes,
            hint="free one, or try again with --wait 60",
        )
    if any(words in said for words in _NOT_READY):
        return NotReadyError(
            f"no connection to {where}",
            notes=notes,
            hint="is the server up, and are host and port right? --wait 60 waits for it",
        )
    return ConnectError(f"no connection to {where}", notes=notes)
