"""Connection strings as other programs write them, made into libpq's.

A driver's name in the scheme and parameters that only concern the driver (its pool, its prepared
statements, its timeouts) say nothing about the database: they are left out, and a note says so.
What decides on database, schema or encryption is never left out: where libpq does not know it, it
is refused.
"""

from collections import Counter

from pgvouch.address.conninfo import URL, refuse_as_written
from pgvouch.address.parameters import (
    DRIVERS,
    DRIVERS_OWN,
    HARMLESS_VALUES,
    KEYWORDS,
    SCHEMAS,
    SSL_MODES,
    TIMEOUTS,
)
from pgvouch.errors import UsageError


def understood(conninfo: str, source: str = "") -> tuple[str, tuple[str, ...]]:
    """Return a connection string as libpq reads it.

    Args:
        conninfo: as it was given; what is no URL of PostgreSQL's is returned as it is.
        source: where it was given, for the error: `--url`, `DATABASE_URL`.

    Returns:
        The string, and the names of what was left out: `+asyncpg`, `pgbouncer`.

    Raises:
        UsageError: libpq would read something else in it than its author meant.
    """
    match = URL.match(conninfo)
    driver = match["driver"] if match else None
    if match is None or (driver and driver not in DRIVERS):
        return conninfo, ()
    what = f"the URL in {source}" if source else "the URL"
    refuse_as_written(conninfo, what)
    left = [f"+{driver}"] if driver else []
    userinfo, at, place = match["rest"].rpartition("@")
    place, _, query = place.partition("?")
    kept = []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name in DRIVERS_OWN or value.lower() in HARMLESS_VALUES.get(name, ()):
            left.append(name)
        elif name == "ssl" and value in SSL_MODES:  # asyncpg's word for it
            kept.append(f"sslmode={value}")
        else:
            kept.append(pair)
            _refuse_deciding(what, name)
    if driver:
        _refuse_twice(what, kept)
    parameters = "&".join(kept)
    if not driver and parameters == query:
        return conninfo, ()
    rest = f"{userinfo}{at}{place}{'?' * bool(parameters)}{parameters}"
    return f"postgresql://{rest}", tuple(dict.fromkeys(left))


def _refuse_deciding(what: str, name: str) -> None:
    """Refuse a parameter without which it would be another schema, or another limit."""
    if name in SCHEMAS:
        raise UsageError(
            f"{what} names a schema with `{name}`, which PostgreSQL's library does not know",
            notes=["left out, the migrations would make their tables in another schema"],
            hint="name the schema in the files; or, for the session's search_path, write "
            "options=-csearch_path%3DNAME in its place",
        )
    if name in TIMEOUTS:
        raise UsageError(
            f"{what} sets `{name}`, which PostgreSQL's library does not know",
            hint=f"take it out of the URL, and give --{name.replace('_', '-')}; or write "
            f"options=-c{name}%3DTIME in its place",
        )


def _refuse_twice(what: str, pairs: list[str]) -> None:
    """Refuse what SQLAlchemy reads as several hosts: libpq would take the last of them."""
    counts = Counter(pair.partition("=")[0] for pair in pairs)
    if name := next((n for n, count in counts.items() if count > 1 and n in KEYWORDS), None):
        raise UsageError(
            f"{what} has the parameter `{name}` more than once",
            hint="write several hosts as postgresql://host1:5432,host2:5432/database",
        )


def told(source: str, left: tuple[str, ...]) -> str:
    """Return the sentence that says what was left out of a URL."""
    names = ", ".join(f"`{name}`" for name in left)
    return f"the URL in {source} is written for another program: left out are {names}"
