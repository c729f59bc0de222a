"""The system workouts on real servers: a transaction of its own for every test, taken back."""

import re
import secrets
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from conftest import ROOT
from pgvouch.config.options import Options
from pgvouch.config.project import Database as Migrated
from pgvouch.config.project import find_project, read_database
from pgvouch.engine import commands
from pgvouch.events import silent
from pgvouch.postgres.session import Session
from systems.owner import Owner

SYSTEM = ROOT / "migrations" / "workouts"
TEXT = (ROOT / "docs" / "workouts" / "DATABASE.md").read_text()
SEED = ROOT / "seed" / "workouts.sql"
TABLES = (
    "users",
    "magic_links",
    "password_resets",
    "sessions",
    "invites",
    "exercises",
    "workout_templates",
    "workout_template_exercises",
    "workout_sessions",
    "workout_session_exercises",
    "workout_sets",
    "max_lifts",
    "scheduled_workouts",
    "import_jobs",
)
ASKING = "5afe0000-0000-4000-8000-000000000042"
"""The user who asks in queries/."""


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language in the document."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def statement(name: str, **values: object) -> str:
    """The statement of a query file, with other values in the place of its own."""
    text = (SYSTEM / "queries" / f"{name}.sql").read_text().partition("-- query:\n")[2]
    own = {
        "user": f"'{ASKING}'",
        "start": "date '2025-03-01'",
        "end": "date '2025-03-31'",
        "entry": "'5afe0004-0000-4000-8000-000000000041'",
        "session": "'5afe0002-0000-4000-8000-000000000041'",
        "since": "null::date",
        "until": "date '2025-12-31'",
    }
    for key, value in values.items():
        assert own[key] in text
        cast = "date " if "date" in own[key] else ""
        text = text.replace(own[key], "null::date" if value is None else f"{cast}'{value}'")
    return text


def described(conninfo: str) -> Migrated:
    """The system as pgvouch reads it, at an address."""
    project = find_project(ROOT / "pyproject.toml")
    migrations = read_database(project, SYSTEM.name)
    return Migrated(SYSTEM.name, SYSTEM, conninfo, migrations)


def build(conninfo: str) -> commands.Outcome:
    """Make the system in a database, as `pgvouch migrate` does."""
    with Session.open(conninfo) as session:
        return commands.migrate(
            session,
            described(conninfo),
            Options(lock_wait_s=60),
            silent,
            require_promises=True,
        )


class Database(Owner):
    """A connection as the owner."""

    def insert(self, table: str, **values: object) -> UUID:
        """Insert a row and say which id it got."""
        return self.value(
            f"insert into public.{table} ({', '.join(values)}) "
            f"values ({', '.join(['%s'] * len(values))}) returning id",
            *values.values(),
        )

    def user(self, name: str, **values: object) -> UUID:
        """Make a user."""
        values = {"email": f"{name}@example.test", "display_name": name.title()} | values
        return self.insert("users", **values)

    def template(self, user: UUID, name: str, **values: object) -> UUID:
        """Make a template."""
        return self.insert("workout_templates", user_id=user, name=name, **values)

    def workout(self, user: UUID, started_at: object, **values: object) -> UUID:
        """Make a session that is done."""
        values = {"status": "completed", "name": "Workout"} | values
        return self.insert("workout_sessions", user_id=user, started_at=started_at, **values)

    def entry(self, user: UUID, day: object, **values: object) -> UUID:
        """Make an entry of the calendar."""
        return self.insert("scheduled_workouts", user_id=user, scheduled_date=day, **values)

    def squat(self) -> UUID:
        """An exercise of the system."""
        return self.value("select id from public.exercises where slug = 'squat'")


class Person:
    """A user with one row in every table, but for the exercise of the system that is used."""

    def __init__(self, db: Database, name: str) -> None:
        self.id = user = db.user(name)
        own = db.insert(
            "exercises", name=f"Lift of {name}", is_system_exercise=False, created_by=user
        )
        template = db.template(user, "Leg day")
        workout = db.workout(user, "2026-01-05 18:00", template_id=template)
        done = db.insert(
            "workout_session_exercises",
            session_id=workout,
            exercise_id=db.squat(),
            exercise_name="Squat",
            order_index=0,
        )
        self.rows: dict[str, Any] = {
            "users": user,
            "magic_links": db.insert(
                "magic_links", email=f"{name}@example.test", token=f"link {name}", expires_at="now"
            ),
            "password_resets": db.insert(
                "password_resets", user_id=user, token=f"reset {name}", expires_at="now"
            ),
            "sessions": db.insert(
                "sessions", user_id=user, token=f"session {name}", expires_at="now"
            ),
            "invites": db.insert("invites", code=f"INVITE {name}", created_by=user),
            "exercises": own,
            "workout_templates": template,
            "workout_template_exercises": db.insert(
                "workout_template_exercises",
                template_id=template,
                exercise_id=db.squat(),
                order_index=0,
            ),
            "workout_sessions": workout,
            "workout_session_exercises": done,
            "workout_sets": db.insert("workout_sets", session_exercise_id=done, set_number=1),
            "max_lifts": db.insert(
                "max_lifts",
                user_id=user,
                exercise_id=db.squat(),
                weight=100,
                unit="kg",
                achieved_at="2026-01-05 18:10",
            ),
            "scheduled_workouts": db.entry(user, "2026-01-05", template_id=template),
            "import_jobs": db.insert("import_jobs", user_id=user),
        }


@pytest.fixture(scope="session")
def template(every_server) -> Iterator[str]:
    """The name of a built database that others are copied from."""
    name = f"workouts_{secrets.token_hex(6)}"
    with every_server.janitor(name):
        build(every_server.url(name))
        yield name


@pytest.fixture(scope="session")
def shared(every_server, template: str) -> Iterator[str]:
    """Where the database is that the tests share."""
    name = f"workouts_{secrets.token_hex(6)}"
    with every_server.janitor(name, template):
        yield every_server.url(name)


@pytest.fixture
def workouts(shared: str) -> Iterator[Database]:
    """The system without rows but those of 010, in a transaction that is taken back."""
    with (
        psycopg.connect(shared, autocommit=True) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield Database(connection)


@pytest.fixture
def address(every_server, template: str) -> Iterator[str]:
    """Where a database of the test's own is, for those that need two connections."""
    name = f"workouts_{secrets.token_hex(6)}"
    with every_server.janitor(name, template):
        yield every_server.url(name)


@pytest.fixture
def committed(address: str) -> Iterator[Database]:
    """The system in a database of the test's own."""
    with psycopg.connect(address, autocommit=True) as connection:
        yield Database(connection)


@pytest.fixture
def ann(workouts: Database) -> Person:
    """User A."""
    return Person(workouts, "ann")


@pytest.fixture
def bob(workouts: Database) -> Person:
    """User B."""
    return Person(workouts, "bob")
