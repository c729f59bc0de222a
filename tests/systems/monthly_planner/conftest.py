"""The system monthly_planner on real servers: a database of its own for every test."""

import re
import secrets
from collections.abc import Iterator

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

SYSTEM = ROOT / "migrations" / "monthly_planner"
TEXT = (ROOT / "docs" / "monthly_planner" / "DATABASE.md").read_text()
SEED = ROOT / "seed" / "monthly_planner.sql"
TABLES = (
    "users",
    "user_goals_and_preferences",
    "generation_quota",
    "monthly_plans",
    "plan_tasks",
    "user_activity_history",
    "user_productivity_insights",
)


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language in the document."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


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

    def insert(self, table: str, **values: object) -> int:
        """Insert a row and say which id it got."""
        return self.value(
            f"insert into public.{table} ({', '.join(values)}) "
            f"values ({', '.join(['%s'] * len(values))}) returning id",
            *values.values(),
        )


class Person:
    """A user with one row in every table."""

    def __init__(self, db: Database, name: str) -> None:
        user = db.insert("users", name=name.title(), email=f"{name}@example.test")
        preference = db.insert(
            "user_goals_and_preferences",
            user_id=user,
            goals_text="Run",
            task_complexity="Balanced",
            focus_areas="Health",
            weekend_preference="Mixed",
            fixed_commitments_json='{"commitments": []}',
        )
        quota = db.insert(
            "generation_quota",
            user_id=user,
            month_year="2026-01-01",
            total_allowed=3,
            resets_on="2026-02-01",
        )
        plan = db.insert(
            "monthly_plans",
            user_id=user,
            preference_id=preference,
            month_year="2026-01-01",
            ai_prompt="Plan January",
            ai_response_raw="{}",
        )
        task = db.insert(
            "plan_tasks",
            plan_id=plan,
            task_description="Run 5 km",
            focus_area="Health",
            start_time="2026-01-05 07:00",
            end_time="2026-01-05 08:00",
        )
        entry = db.insert("user_activity_history", user_id=user, task_id=task, was_completed=True)
        insight = db.insert(
            "user_productivity_insights",
            user_id=user,
            insight_type="PeakEnergy",
            insight_value_json='{"peakHours": "9:00-11:00"}',
        )
        self.id = user
        self.rows = dict(
            zip(TABLES, (user, preference, quota, plan, task, entry, insight), strict=True)
        )


@pytest.fixture(scope="session")
def template(every_server) -> Iterator[str]:
    """The name of a built database that the tests' own are copied from."""
    name = f"monthly_planner_{secrets.token_hex(6)}"
    with every_server.janitor(name):
        build(every_server.url(name))
        yield name


@pytest.fixture
def address(every_server, template: str) -> Iterator[str]:
    """Where the test's own database is."""
    name = f"monthly_planner_{secrets.token_hex(6)}"
    with every_server.janitor(name, template):
        yield every_server.url(name)


@pytest.fixture
def monthly_planner(address: str) -> Iterator[Database]:
    """The system in a database of the test's own, without rows."""
    with psycopg.connect(address, autocommit=True) as connection:
        yield Database(connection)


@pytest.fixture
def ann(monthly_planner: Database) -> Person:
    """User A."""
    return Person(monthly_planner, "ann")


@pytest.fixture
def bob(monthly_planner: Database) -> Person:
    """User B."""
    return Person(monthly_planner, "bob")
