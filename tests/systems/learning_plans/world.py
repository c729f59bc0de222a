"""The system learning_plans on real servers: a database of its own for every test."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from systems.owner import Owner
from systems.system import System

KEYS = {"users": "id", "learning_plans": "id", "plan_schedules": "plan_id"}
TABLES = tuple(KEYS)
EMPTY: dict[str, Any] = {"weeks": [], "totalWeeks": 0, "totalSessions": 0}

INSERT = (
    "insert into public.plan_schedules "
    "(plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date, deadline) "
    "values (%s, %s, %s, 'UTC', 10, '2025-02-03', null)"
)
UPSERT = (
    f"{INSERT} on conflict (plan_id) do update set schedule_json = excluded.schedule_json, "
    "inputs_hash = excluded.inputs_hash, generated_at = now(), timezone = excluded.timezone, "
    "weekly_hours = excluded.weekly_hours, start_date = excluded.start_date, "
    "deadline = excluded.deadline"
)

OURS = System("learning_plans", TABLES)
SYSTEM = OURS.folder


class Database(Owner):
    """A connection as the owner, and ways to act as the roles of the API."""

    @contextmanager
    def claiming(self, claims: object) -> Iterator["Database"]:
        """Be a caller whose token says just this."""
        with self.connection.transaction():
            self.rows("set local role authenticated")
            self.rows("select set_config('request.jwt.claims', %s, true)", json.dumps(claims))
            yield self

    @contextmanager
    def user(self, sub: str | None) -> Iterator["Database"]:
        """Be somebody whom Clerk has signed in."""
        with self.acting("authenticated", sub):
            yield self

    @contextmanager
    def anon(self) -> Iterator["Database"]:
        """Be a visitor."""
        with self.acting("anon"):
            yield self

    @contextmanager
    def service(self) -> Iterator["Database"]:
        """Be one of the application's servers."""
        with self.acting("service_role"):
            yield self

    @contextmanager
    def plain_service(self) -> Iterator["Database"]:
        """Be a role with the rights of service_role and without its BYPASSRLS; undone at the end."""
        worker = f"worker_{secrets.token_hex(6)}"
        with self.connection.transaction(force_rollback=True):
            self.rows(f"create role {worker} in role service_role")
            self.rows(f"set local role {worker}")
            yield self

    def person(self, name: str) -> UUID:
        """Make a person, as Clerk's webhook would have."""
        return self.value(
            "insert into public.users (clerk_user_id, email, name) values (%s, %s, %s) "
            "returning id",
            f"user_test_{name}",
            f"{name}@example.test",
            name.title(),
        )

    def plan(self, user: UUID, topic: str = "Test Topic", visibility: str = "private") -> UUID:
        """Make a plan, as its owner would have."""
        return self.value(
            "insert into public.learning_plans (user_id, topic, skill_level, weekly_hours, "
            "learning_style, visibility, generation_status) "
            "values (%s, %s, 'beginner', 10, 'mixed', %s, 'ready') returning id",
            user,
            topic,
            visibility,
        )

    def schedule(self, plan: UUID, inputs_hash: str = "test-hash-123") -> None:
        """Store a plan's first schedule."""
        self.rows(INSERT, plan, Jsonb(EMPTY), inputs_hash)

    def upsert(self, plan: UUID, inputs_hash: str, schedule: object = None) -> int:
        """Store a schedule as the document does, whether there is one or not."""
        return self.changed(
            UPSERT, plan, Jsonb(EMPTY if schedule is None else schedule), inputs_hash
        )


class Person:
    """A user with one row in every table."""

    def __init__(self, database: Database, name: str) -> None:
        self.sub = f"user_test_{name}"
        self.id = database.person(name)
        self.plan = database.plan(self.id)
        database.schedule(self.plan, f"hash of {name}")
        self.rows = {
            "users": self.id,
            "learning_plans": self.plan,
            "plan_schedules": self.plan,
        }
