"""What pytest loads by the entry point `pytest11`: options and fixtures, and no more than that."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pgvouch.testing.settings import DatabaseSettings

if TYPE_CHECKING:
    import psycopg

    from pgvouch.errors import VouchError
    from pgvouch.testing.database import ClonedDatabase
    from pgvouch.testing.databases import Databases

_URL_VARIABLE = "PGVOUCH_TEST_URL"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options, on the command line and in pytest's configuration."""
    group = parser.getgroup("pgvouch", "databases with every migration applied")
    group.addoption("--pgvouch-url", metavar="URL", help="the server for databases of tests")
    group.addoption("--pgvouch-config", metavar="FILE", help="pgvouch's configuration file")
    parser.addini("pgvouch_url", "the server for databases of tests; none: an embedded one")
    parser.addini("pgvouch_config", "pgvouch's configuration file")
    parser.addini("pgvouch_migrations", "a folder of migrations, without a configuration")
    parser.addini("pgvouch_database", "which database, where the project has several")


@pytest.fixture(scope="session")
def pgvouch_settings(pytestconfig: pytest.Config) -> DatabaseSettings:
    """Which migrations, on which server; a fixture of this name in a conftest.py replaces it."""
    config = pytestconfig.getoption("pgvouch_config")  # seen from where pytest was started
    return DatabaseSettings(
        migrations=pytestconfig.getini("pgvouch_migrations") or None,
        config=pytestconfig.invocation_params.dir / config
        if config
        else pytestconfig.getini("pgvouch_config") or None,
        database=pytestconfig.getini("pgvouch_database") or None,
    )


@pytest.fixture(scope="session")
def pgvouch_databases(pytestconfig: pytest.Config) -> "Iterator[Databases]":
    """The servers and templates of this run, for fixtures of another scope: see `clone`."""
    from pgvouch.testing.databases import Databases

    given = (
        ("--pgvouch-url", pytestconfig.getoption("pgvouch_url")),
        (_URL_VARIABLE, os.environ.get(_URL_VARIABLE)),
        ("pgvouch_url", pytestconfig.getini("pgvouch_url")),
    )
    source, url = next(((source, url) for source, url in given if url), ("", None))
    with Databases(pytestconfig.rootpath, url, source) as databases:
        yield databases


@pytest.fixture
def pgvouch_clone(
    pgvouch_databases: "Databases", pgvouch_settings: DatabaseSettings
) -> "Iterator[Callable[..., ClonedDatabase]]":
    """A function that gives a new database with every migration applied, once or several times.

    It takes `to=` (the last migration), `empty=True` (no migration), and what DatabaseSettings
    takes, in place of what pgvouch_settings says.
    """
    from pgvouch.errors import VouchError

    with ExitStack() as stack:

        def clone(*, to: str | None = None, empty: bool = False, **other: Any) -> "ClonedDatabase":
            settings = replace(pgvouch_settings, **other) if other else pgvouch_settings
            try:
                return stack.enter_context(pgvouch_databases.clone(settings, to=to, empty=empty))
            except VouchError as exc:
                told = _told(exc)
            pytest.fail(told, pytrace=False)

        yield clone


@pytest.fixture
def pgvouch_database(pgvouch_clone: "Callable[[], ClonedDatabase]") -> "ClonedDatabase":
    """A database of this test's own, with every migration applied."""
    return pgvouch_clone()


@pytest.fixture
def migrated_to(
    pgvouch_clone: "Callable[..., ClonedDatabase]",
) -> "Callable[[str], ClonedDatabase]":
    """A function that gives a database at one migration: `migrated_to("006")`."""
    return lambda to: pgvouch_clone(to=to)


@pytest.fixture
def acting_as(pgvouch_database: "ClonedDatabase") -> "Callable[[str], psycopg.Connection]":
    """A function that gives a connection to pgvouch_database as one of actors.toml."""
    return pgvouch_database.acting_as


def _told(error: "VouchError") -> str:
    """Return an error as a few lines."""
    server = error.server
    said = [
        str(error),
        *(f"    {line}" for line in (error.statement or "").splitlines()[:10]),
        *([server.detail, server.hint] if server else []),
        *error.notes,
        error.hint,
    ]
    return "\n".join(line for line in said if line)
