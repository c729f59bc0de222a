"""Connection strings, read without ever repeating one: a mistake in it may be part of a password.

An unencoded `/` or `@` in the password of a URL makes libpq take a piece of the password for the
port, the host or the database, and its errors quote what they do not understand. So a string that
cannot be read, or that libpq may have misread, is refused with positions and the names of settings,
and with none of its text.
"""

import re
from functools import lru_cache
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pgvouch.address.parameters import FOREIGN, KEYWORDS
from pgvouch.errors import UsageError

URL = re.compile(r"postgres(?:ql)?(?:\+(?P<driver>\w+))?://(?P<rest>.*)\Z", re.DOTALL)
"""PostgreSQL's own, or SQLAlchemy's with the name of a driver."""
_OTHER_SCHEME = re.compile(r"\s*[A-Za-z][\w+.:-]*://")
_NOT_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_NUMBERS = {
    "port": re.compile(r"[0-9]*(?:,[0-9]*)*\Z"),
    "connect_timeout": re.compile(r"\s*-?[0-9]*\s*\Z"),
}
_SEMICOLONS = re.compile(r";\s*[A-Za-z][\w ]*=")
_NEAR_URL = re.compile(r"://|\bpassword\s*=|\bhost\s*=", re.IGNORECASE)
SHOWN = ("host", "hostaddr", "user", "dbname", "service")
"""Where it goes: what an error says of an address."""
_WRITE = "write postgresql://user@host:5432/database; percent-encode @ : / ? # % in a password"
_KEPT = 4096
"""A fleet's are read several times each, and libpq takes long to."""
_QUIET = "it is not shown, for there may be a password in it"


def parts_of(conninfo: str, source: str = "") -> dict[str, str]:
    """Return the settings of a connection string.

    Args:
        conninfo: a URL, or libpq's keywords and values.
        source: where it was given, for the error: `--url`, `DATABASE_URL`.

    Raises:
        UsageError: it cannot be read, or not for certain; nothing of it is in the message.
    """
    what = f"the URL in {source}" if source else "the URL"
    refuse_as_written(conninfo, what)
    try:
        parts = dict(_settings(conninfo))
    except psycopg.Error:
        raise _unreadable(conninfo, what) from None
    for name, numbers in _NUMBERS.items():
        if not numbers.match(parts.get(name, "")):
            raise UsageError(
                f"{what} has a {name} that is not a number",
                notes=[_QUIET],
                hint=_WRITE if URL.match(conninfo) else "write host=… port=5432 user=… dbname=…",
            )
    for name in SHOWN:
        value = parts.get(name, "")
        # `host=h;password=p`, as other drivers write it, is a host's name to libpq.
        if (
            "://" in value
            or _SEMICOLONS.search(value)
            or (name.startswith("host") and "@" in value.lstrip("@"))
        ):
            wrong = f"{what} has a {name} that cannot be one"
            raise UsageError(wrong, notes=[_QUIET], hint=_WRITE)
    return parts


@lru_cache(maxsize=_KEPT)
def _settings(conninfo: str) -> tuple[tuple[str, str], ...]:
    parts = conninfo_to_dict(conninfo)
    return tuple((name, str(value)) for name, value in parts.items() if value is not None)


def looks_like_one(text: str) -> bool:
    """Say whether a text may be a connection string, and so hold a password."""
    return _NEAR_URL.search(text) is not None


def refuse_as_written(conninfo: str, what: str) -> None:
    """Refuse what libpq reads otherwise than its author meant, and what it or psycopg cannot read.

    The string is as it was written, so that a position in it is where its author finds it. libpq
    takes the first `@` ahead of any `/` for the end of the password, so any other `@` shows that
    the password, or something else, is not encoded. psycopg reads nothing but UTF-8.
    """
    match = URL.match(conninfo)
    at = other_bytes(conninfo)
    if at is None and match:
        at = _encoded_bytes(conninfo)
    if at is not None:
        raise UsageError(
            f"{what} cannot be read: there are bytes in it that are no text in UTF-8",
            notes=[f"they begin at character {at + 1} of it", _QUIET],
            hint=_WRITE,
        )
    if match is None:
        return
    start = match.start("rest")
    rest = match["rest"]
    end = rest.rfind("@")
    if end < 0 and (at := _no_port(rest)) is not None:
        raise UsageError(
            f"{what} has a port that is not a number",
            notes=[f"it begins at character {start + at + 1} of it", _QUIET],
            hint=_WRITE,
        )
    offender = re.search(r"[@/]", rest[:end]) if end >= 0 else None
    if offender is not None:
        at = offender.start()
        # A parameter that libpq knows is no part of a password.
        if rest[at] == "/" and rest[at:end].partition("?")[2].partition("=")[0] in KEYWORDS:
            at = rest.index("@", rest.index("?", at))
        raise _not_encoded(f"{what} cannot be read for certain", start + at)
    if wrong := _NOT_ENCODED.search(conninfo):
        raise _not_encoded(f"{what} cannot be read", wrong.start())


def _not_encoded(said: str, at: int) -> UsageError:
    return UsageError(
        f"{said}: a character in it has to be percent-encoded",
        notes=[f"it is character {at + 1} of it", _QUIET],
        hint=_WRITE,
    )


def other_bytes(text: str) -> int | None:
    """Return where bytes begin that are no text in UTF-8: Python reads them as half surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        return exc.start
    return None


def _encoded_bytes(url: str) -> int | None:
    """Return where bytes begin that are percent-encoded, and no text in UTF-8."""
    for found in _ENCODED.finditer(url):
        try:
            unquote(found[0], errors="strict")
        except UnicodeDecodeError as exc:
            return found.start() + 3 * exc.start
    return None


def _no_port(rest: str) -> int | None:
    """Return where a port begins that is no number: user and a password may stand in its place."""
    at = 0
    for host in re.split("[/?]", rest, maxsplit=1)[0].split(","):
        name = host.rpartition("]")[0]  # an IPv6 address has colons of its own
        _, colon, port = host[len(name) :].partition(":")
        if colon and port and not port.isdigit():
            return at + len(host) - len(port)
        at += len(host) + 1
    return None


def _unreadable(conninfo: str, what: str) -> UsageError:
    match = URL.match(conninfo)
    if match and match["driver"]:
        return UsageError(
            f"{what} has a scheme with another word behind a `+`, which is not known",
            hint="write postgresql:// without it, if what follows is the address of a database",
        )
    if match is None:
        said = "is not a PostgreSQL URL" if _OTHER_SCHEME.match(conninfo) else "cannot be read"
        return UsageError(f"{what} {said}", notes=[_QUIET], hint=_WRITE)
    if (unknown := _unknown_parameter(match["rest"])) is not None:
        number, name = unknown
        shown = f"`{name}`" if name in FOREIGN else f"number {number} after the `?`"
        return UsageError(
            f"{what} has a parameter that PostgreSQL's library does not know: {shown}",
            notes=["it may be one of another driver's" if name in FOREIGN else _QUIET],
            hint="take it out of the URL; what can be there: "
            "https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS",
        )
    return UsageError(f"{what} cannot be read", notes=[_QUIET], hint=_WRITE)


def _unknown_parameter(rest: str) -> tuple[int, str] | None:
    """Return the first parameter that libpq does not know, counted from 1."""
    _, _, query = rest.rpartition("@")[2].partition("?")
    known = {*KEYWORDS, "ssl"}
    for number, pair in enumerate(query.split("&") if query else (), 1):
        name, equals, _ = pair.partition("=")
        if (name not in known) or not equals:
            return number, name
    return None
