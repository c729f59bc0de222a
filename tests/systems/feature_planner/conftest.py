"""The planner as it was before its move to a schema of its own."""

from collections.abc import Iterator

import psycopg
import pytest

from conftest import Server
from systems.conftest import Templates, copied

from .world import BEFORE, OURS, Database, as_before


@pytest.fixture
def address_before(every_server: Server, templates: Templates) -> Iterator[str]:
    """Where the test's own database is, before the move and with the development data."""
    rows = as_before(OURS.seed.read_text())
    yield from copied(every_server, templates.of(OURS, BEFORE, rows))


@pytest.fixture
def before(address_before: str) -> Iterator[Database]:
    """The planner in public, with the development data."""
    with psycopg.connect(address_before, autocommit=True) as connection:
        yield Database(connection)
