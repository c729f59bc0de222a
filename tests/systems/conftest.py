"""The systems on real servers: each built once a server, and copied or rolled back for every test.

What differs between them is in the module `world` of each system's folder.
"""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import psycopg
import pytest

from conftest import Server
from systems.owner import Owner
from systems.system import System, world_of


class Templates:
    """Built databases that the tests' own are copied from, each made when it is first wanted."""

    def __init__(self, server: Server, stack: ExitStack) -> None:
        self._server = server
        self._stack = stack
        self._made: dict[tuple[str, str | None], str] = {}

    def of(self, system: System, to: str | None = None, rows: str = "") -> str:
        """The name of the database with the system up to a migration, and with some rows."""
        if (name := self._made.get((system.name, to))) is None:
            name = self._made[system.name, to] = f"{system.name}_{secrets.token_hex(6)}"
            self._stack.enter_context(self._server.janitor(name))
            system.migrate(self._server.url(name), to)
            if rows:
                with psycopg.connect(self._server.url(name)) as connection:
                    connection.execute(rows.encode())
        return name


@pytest.fixture(scope="session")
def templates(every_server: Server) -> Iterator[Templates]:
    with ExitStack() as stack:
        yield Templates(every_server, stack)


def copied(server: Server, template: str) -> Iterator[str]:
    """Make a copy of a database, and say where it is."""
    name = f"{template.rpartition('_')[0]}_{secrets.token_hex(6)}"
    with server.janitor(name, template):
        yield server.url(name)


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> ModuleType:
    """The module `world` beside the test."""
    return world_of(request.path.parent.name)


@pytest.fixture(scope="module")
def template(templates: Templates, world: ModuleType) -> str:
    """The name of a database with the system, without rows but those of its migrations."""
    return templates.of(world.OURS)


@pytest.fixture
def address(every_server: Server, template: str) -> Iterator[str]:
    """Where the test's own database is."""
    yield from copied(every_server, template)


@pytest.fixture(scope="module")
def shared_address(every_server: Server, template: str) -> Iterator[str]:
    """Where the database is that the tests of a module share."""
    yield from copied(every_server, template)


@pytest.fixture
def committed(address: str, world: ModuleType) -> Iterator[Owner]:
    """The system in a database of the test's own."""
    with psycopg.connect(address, autocommit=True) as connection:
        yield world.Database(connection)


@pytest.fixture
def shared(shared_address: str, world: ModuleType) -> Iterator[Owner]:
    """The system in a transaction that is rolled back."""
    with (
        psycopg.connect(shared_address, autocommit=True) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield world.Database(connection)


@pytest.fixture
def db(request: pytest.FixtureRequest, world: ModuleType, template: str) -> Any:
    """The system as its tests have it: in a database of their own, unless it says otherwise."""
    del template  # named here, so that tests are run on every server
    return request.getfixturevalue("shared" if world.OURS.is_shared else "committed")


@pytest.fixture
def coding_sessions(db: Owner) -> Owner:
    return db


@pytest.fixture
def learning_plans(db: Owner) -> Owner:
    return db


@pytest.fixture
def monthly_planner(db: Owner) -> Owner:
    return db


@pytest.fixture
def planner(db: Owner) -> Owner:
    return db


@pytest.fixture
def workouts(db: Owner) -> Owner:
    return db


@pytest.fixture
def ann(db: Owner, world: ModuleType) -> Any:
    """User A, with one row in every table."""
    return world.Person(db, "ann")


@pytest.fixture
def bob(db: Owner, world: ModuleType) -> Any:
    """User B."""
    return world.Person(db, "bob")
