"""Why there is no connection: what libpq or the server said, as an error that says what to do."""

import os
import re
from collections.abc import Mapping

import psycopg

from pgvouch.address.conninfo import parts_of
from pgvouch.address.parameters import KEYWORDS
from pgvouch.errors import (
    AuthenticationError,
    ConnectError,
    NoDatabaseError,
    NotReadyError,
    TooManyConnectionsError,
    UsageError,
    VouchError,
)

# libpq does not hand out the SQLSTATE of a refused connection, so its words have to do; where they
# are in another language the general error is given, with the same words in it.
_NOT_READY = (
    "the database system is starting up", "the database system is shutting down",
    "the database system is in recovery mode",
    "the database system is not yet accepting connections", "not accepting connections",
    "Connection refused", "No such file or directory", "could not translate host name",
    "Connection reset by peer", "Connection timed out", "timeout expired", "connection timeout",
    "server closed the connection unexpectedly", "No route to host", "Network is unreachable",
)  # fmt: skip
_TOO_MANY = (
    "too many clients already", "remaining connection slots are reserved",
    "too many connections for", "no more connections allowed",
)  # fmt: skip
_NOT_LET_IN = (
    "password authentication failed", "no password supplied", "authentication failed for user",
    "no pg_hba.conf entry", "SASL authentication failed", "permission denied for database",
    "is not permitted to log in", "is not currently accepting connections",
)  # fmt: skip
_HALF_DROPPED = "cannot connect to invalid database"


_NO_ROLE = re.compile(r"FATAL: +role \".*\" does not exist")
_SETTING = re.compile(
    r"(?:^|failed: |bad: )(?:bad value for|invalid (?:integer|port|connection option|[\w ]+ value)|"
    r"(?:definition of |unsupported )?service|syntax error in service|could not match [0-9]|"
    r"could not find (?:own|a) home|[\w ]+ value \S+ invalid|nested \S+ specification)",
    re.MULTILINE,
)
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_SERVER = re.compile(r"(?:FATAL|ERROR|PANIC): ")
_HARMLESS = ("host", "hostaddr", "port", "user", "dbname", "service")
_MOST_LINES = 20


def knows_no_transactions(said: str) -> ConnectError | None:
    """Return the error for a pooler that ends our connection at the first transaction."""
    if "statement pooling mode" not in said:
        return None
    return ConnectError(
        "the connection leads through a pooler in statement mode, which allows no transactions",
        notes=[said],
        state="Nothing was run.",
        hint="connect to the server itself, or through a pool in transaction mode "
        "(pool_mode = transaction, for one database or user where need be)",
    )


def describe(parts: Mapping[str, str]) -> str:
    """Return where a connection leads, for people: database, host and port, no password."""
    host = parts.get("host", "")
    where = "" if host.startswith("/") else host
    port = f":{parts['port']}" if parts.get("port") and where else ""
    name = parts.get("dbname") or parts.get("service") or ""
    return f"{name} at {where}{port}" if where else name or "the server"


def _told(exc: psycopg.Error, parts: Mapping[str, str]) -> list[str]:
    """Return the message, line by line, without the text of any setting that may be secret.

    libpq quotes what it does not understand, so only those of its quotations are kept that are
    known to be harmless.
    """
    harmless = {parts.get(name, "") for name in _HARMLESS} | KEYWORDS
    harmless |= {os.environ.get(name, "") for name in ("PGHOST", "PGUSER", "PGDATABASE")}

    def kept(match: re.Match[str]) -> str:
        value = match[1] or match[2] or ""
        is_place = value.startswith("/") or re.fullmatch(r"[0-9a-f.:]+", value)
        return match[0] if value in harmless or is_place else '"…"'

    lines = []
    for line in map(str.strip, str(exc).strip().splitlines()[:_MOST_LINES]):
        ours, server, theirs = line, "", ""
        if found := _SERVER.search(line):
            ours, server, theirs = line[: found.start()], found[0], line[found.end() :]
        lines.append(_QUOTED.sub(kept, ours) + server + theirs)
    secrets = [parts[name] for name in ("password", "sslpassword") if parts.get(name)]
    for secret in secrets:
        lines = [line.replace(secret, "***") for line in lines]
    return lines


def connect_error(exc: psycopg.Error, conninfo: str) -> VouchError:
    """Return the error for a connection that did not come about, without the password."""
    parts = parts_of(conninfo)
    notes = _told(exc, parts)
    said = "\n".join(notes)
    if _SETTING.search(said) and not _SERVER.search(said):
        return UsageError(
            "a setting of the connection is not valid",
            notes=notes,
            hint="correct the URL, the service file or the PG… variable that it comes from",
        )
    where = describe(parts)
    name = parts.get("dbname")
    if f'database "{name}" does not exist' in said or _HALF_DROPPED in said:
        is_half = _HALF_DROPPED in said
        return NoDatabaseError(
            f"the database {name} {'is half dropped' if is_half else 'does not exist'}",
            notes=notes,
            hint=f"what is left of it can only be dropped: dropdb {name}"
            if is_half
            else f"pgvouch migrate --create-database, or createdb {name}",
        )
    if any(words in said for words in _NOT_LET_IN) or _NO_ROLE.search(said):
        return AuthenticationError(
            f"{where} does not let us in",
            notes=notes,
            hint="check the user and the password of the URL (PGPASSWORD and ~/.pgpass count too), "
            "and on the server pg_hba.conf, and whether role and database accept connections",
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
    hint = "is the host right, in the URL or in PGHOST?" if "resolve host" in said else None
    return ConnectError(f"no connection to {where}", notes=notes, hint=hint)
