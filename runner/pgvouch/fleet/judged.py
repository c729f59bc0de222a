"""What became of a database, as one of few states, and why, in a line. Pure."""

import re
from collections.abc import Mapping

from pgvouch.address.conninfo import parts_of
from pgvouch.errors import (
    AuthenticationError,
    CheckError,
    ConnectError,
    DriftError,
    NoDatabaseError,
    TooManyConnectionsError,
    VouchError,
)
from pgvouch.fleet.target import State
from pgvouch.postgres.connect_errors import describe

_BUSY = {"55P03", "40P01", "40001"}
_FULL = {"53100", "53200", "53300", "53400"}
_REFUSED = {"42501", "28000", "28P01"}
_AHEAD = re.compile(r"^.*(?:FATAL|ERROR|PANIC):\s+|^.* failed: ")
"""What stands ahead of the reason in a message of libpq's."""
_ENDED = {"57P01", "57P02", "57P03"}


def state_of(error: VouchError) -> State:
    """Return the state of a database in which something failed so."""
    sqlstate = error.server.sqlstate if error.server else None
    if sqlstate in _BUSY or (isinstance(error, ConnectError) and "another" in error.message):
        return State.BUSY
    by_sqlstate = {**dict.fromkeys(_FULL, State.FULL), **dict.fromkeys(_REFUSED, State.REFUSED)}
    by_sqlstate |= dict.fromkeys(_ENDED, State.DOWN)
    if sqlstate in by_sqlstate:
        return by_sqlstate[sqlstate]
    kinds: tuple[tuple[type[VouchError], State], ...] = (
        (NoDatabaseError, State.GONE),
        (TooManyConnectionsError, State.FULL),
        (AuthenticationError, State.REFUSED),
        (DriftError, State.DRIFTED),
        (CheckError, State.FAILED),
        (ConnectError, State.DOWN),
    )
    return next((state for kind, state in kinds if isinstance(error, kind)), State.FAILED)


def cause_of(error: VouchError, conninfo: str = "") -> str:
    """Return why something failed, in one line that is the same for the same cause elsewhere.

    Args:
        error: what failed.
        conninfo: where; then it is the server that is named, and not the database.
    """
    if conninfo and isinstance(error, ConnectError) and not error.place:
        return _refusal(error, parts_of(conninfo))
    place = (
        f"{error.place.path.name}:{error.place.line}: " if error.place and error.place.line else ""
    )
    sqlstate = error.server.sqlstate if error.server else None
    code = f" ({sqlstate})" if sqlstate and sqlstate not in error.message else ""
    return f"{place}{error.message}{code}".replace("\n", " ")


def _refusal(error: ConnectError, parts: Mapping[str, str]) -> str:
    """Return why there is no connection, with the words of libpq or the server behind ours."""
    name, where, host = parts.get("dbname", ""), describe(parts), parts.get("host", "")
    server = describe({**parts, "dbname": "", "service": ""}).removeprefix(" at ")
    server = host if host.startswith("/") else server
    if isinstance(error, NoDatabaseError):
        return error.message.replace(f" {name} ", " ", 1)
    if where not in error.message or not error.notes:
        return error.message
    said = _AHEAD.sub("", error.notes[0]).replace(f'"{name}"', '"…"')
    return f"{error.message.replace(where, server, 1)}: {said}"
