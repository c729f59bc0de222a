import psycopg
import pytest
from flask.testing import FlaskClient

from notes.app import create_app


@pytest.fixture
def owner(pgvouch_database):
    """A connection that sees everything, with two teams."""
    connection = pgvouch_database.connect()
    connection.execute(
        "insert into members values ('kitchen', 'ann'), ('kitchen', 'bob'), ('garden', 'carla')"
    )
    return connection


@pytest.fixture
def client(pgvouch_database) -> FlaskClient:
    """The application on a database of this test's own."""
    return create_app(pgvouch_database.url, migrate=False).test_client()


@pytest.fixture
def note(owner: psycopg.Connection):
    """Writes a note of ann's, and returns its number."""

    def write(visibility: str, *, archived: bool) -> int:
        row = owner.execute(
            "insert into notes (owner, team, visibility, archived, body) "
            "values ('ann', 'kitchen', %s, %s, 'Milk') returning id",
            [visibility, archived],
        ).fetchone()
        assert row is not None
        return row[0]

    return write
