"""A database for trying migrations out, on the same server, and one that is kept for the next time.

What comes before the migration in question is applied once. The database as it is then is kept as a
template, under a name made of the checksums of all that was applied, so that the next scratch
database is a copy of it. There is one for each project's database: another one takes its place.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from psycopg.conninfo import make_conninfo

from pgvouch.errors import MigrationError
from pgvouch.files.migration import checksum
from pgvouch.postgres.reach import open_session
from pgvouch.postgres.session import QueryError, Session
from pgvouch.sqltext.own import literal

_KEPT = "pgvouch_before_"
_GONE_OR_IN_USE = {"3D000", "55006"}  # invalid_catalog_name, object_in_use
_IS_THERE = "42P04"


@contextmanager
def scratch(url: str, prepare: Callable[[Session], None]) -> Iterator[Session]:
    """Give a session on a new database that exists for the length of a with-block.

    Args:
        url: where the server is; its own database is not touched.
        prepare: is called with the session first.
    """
    with (
        _server(url) as server,
        _dropping(url, _create(server, "template0")) as name,
        _session(url, name) as session,
    ):
        prepare(session)
        yield session


@contextmanager
def scratch_after(
    url: str, database: str, applied: Sequence[str], apply: Callable[[Session], None]
) -> Iterator[Session]:
    """Give a session on a database in which migrations are applied, for the length of a with-block.

    Args:
        url: where the server is; its own database is not touched.
        database: the project's name for it.
        applied: everything that the result depends on.
        apply: applies them.
    """
    kept = _KEPT + checksum("\n".join(applied))[:16]
    with _server(url) as server:
        name = _copy(server, kept) or _build(url, server, database, kept, apply)
        with _dropping(url, name), _session(url, name) as session:
            yield session


def _build(
    url: str, server: Session, database: str, kept: str, apply: Callable[[Session], None]
) -> str:
    """Return the name of a scratch database in which migrations are applied, and keep a copy."""
    name = _create(server, "template0")
    try:
        with _session(url, name) as session:
            apply(session)
        _keep(server, name, kept, database)
    except BaseException:
        _drop(url, name)
        raise
    return name


def _keep(server: Session, name: str, kept: str, database: str) -> None:
    """Keep a copy in place of that of an earlier state of the files."""
    try:
        server.run(f"create database {kept} template {name}")
    except QueryError as exc:
        if exc.server.sqlstate == _IS_THERE:  # another run has been quicker
            return
        raise
    _forget(server, database)
    server.run(f"comment on database {kept} is {literal(_comment(database))}")


def _comment(database: str) -> str:
    return f"kept by pgvouch accept-delta for {database}; may be dropped"


def _forget(server: Session, database: str) -> None:
    """Drop what was kept, and has its comment."""
    (result,) = server.ask(
        "select quote_ident(d.datname) from pg_database as d "
        "join pg_roles as r on r.oid = d.datdba and r.rolname = current_user "
        f"where starts_with(d.datname, {literal(_KEPT)}) "
        f"and shobj_description(d.oid, 'pg_database') = {literal(_comment(database))}"
    )
    for (name,) in result.rows:
        with suppress(QueryError):  # another run copies it at this moment
            server.run(f"drop database if exists {name}")


def _copy(server: Session, kept: str) -> str | None:
    """Return the name of a copy of a database that was kept, None where there is none of ours."""
    (result,) = server.ask(
        "select from pg_database as d join pg_roles as r on r.oid = d.datdba "
        f"where d.datname = {literal(kept)} and r.rolname = current_user"
    )
    if not result.rows:
        return None
    try:
        return _create(server, kept)
    except QueryError as exc:
        if exc.server.sqlstate in _GONE_OR_IN_USE:
            return None
        raise


def _create(server: Session, template: str) -> str:
    name = f"pgvouch_scratch_{secrets.token_hex(6)}"
    try:
        server.run(f"create database {name} template {template}")
    except QueryError as exc:
        if exc.server.sqlstate in _GONE_OR_IN_USE:
            raise
        raise MigrationError(
            f"no scratch database can be created: {exc.server.primary}",
            server=exc.server,
            hint="use a server where you may: --url embedded:",
        ) from None
    return name


@contextmanager
def _dropping(url: str, name: str) -> Iterator[str]:
    try:
        yield name
    finally:
        _drop(url, name)


def _drop(url: str, name: str) -> None:
    # On a connection of its own: the other one may have been lost.
    with _server(url) as server:
        server.run(f"drop database if exists {name} with (force)")


@contextmanager
def _server(url: str) -> Iterator[Session]:
    maintenance = make_conninfo(url, dbname="postgres")
    with open_session(maintenance, application_name="pgvouch") as session:
        yield session


@contextmanager
def _session(url: str, name: str) -> Iterator[Session]:
    with Session.open(make_conninfo(url, dbname=name), "pgvouch accept-delta") as session:
        yield session
