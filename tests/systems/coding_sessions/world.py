"""The system coding_sessions on real servers: a database of its own for every test."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from systems.owner import Owner
from systems.system import System

TABLES = ("profiles", "projects", "coding_sessions", "coding_jobs", "session_events")

OURS = System("coding_sessions", TABLES)
SYSTEM = OURS.folder
blocks = OURS.blocks
build = OURS.migrate


class Database(Owner):
    """A connection as the owner, and ways to act as the roles of the API."""

    @contextmanager
    def user(self, user: UUID) -> Iterator["Database"]:
        """Be a user who has signed in."""
        with self.acting("authenticated", user):
            yield self

    @contextmanager
    def anon(self) -> Iterator["Database"]:
        """Be a visitor."""
        with self.acting("anon"):
            yield self

    @contextmanager
    def service(self) -> Iterator["Database"]:
        """Be the worker."""
        with self.acting("service_role"):
            yield self

    def sign_up(self, email: str, metadata: dict[str, str] | None = None) -> UUID:
        """Insert an account, as the auth server does."""
        user = uuid4()
        self.rows(
            "insert into auth.users (id, email, raw_user_meta_data) values (%s, %s, %s)",
            user,
            email,
            None if metadata is None else Jsonb(metadata),
        )
        return user

    def project(self, user: UUID, name: str = "A project") -> UUID:
        """Make a project, as its owner would have."""
        return self.value(
            "insert into public.projects (user_id, name) values (%s, %s) returning id", user, name
        )

    def session(self, user: UUID, project: UUID, expires: str = "1 hour") -> UUID:
        """Make a session of a user on a project."""
        return self.value(
            "insert into public.coding_sessions (user_id, project_id, initial_prompt, expires_at) "
            "values (%s, %s, 'Build a todo app with React', now() + %s::interval) returning id",
            user,
            project,
            expires,
        )

    def open_session(self, user: UUID, project: UUID) -> UUID:
        """Open a session as a user does, who says what it is for and no more."""
        return self.value(
            "insert into public.coding_sessions (user_id, project_id, initial_prompt) "
            "values (%s, %s, 'Build a todo app with React') returning id",
            user,
            project,
        )

    def job(self, session: UUID, prompt: str = "Build a todo app with React") -> UUID:
        """Queue a job."""
        return self.value(
            "insert into public.coding_jobs (session_id, prompt) values (%s, %s) returning id",
            session,
            prompt,
        )

    def event(self, session: UUID, kind: str = "thinking") -> UUID:
        """Report an event."""
        return self.value(
            "insert into public.session_events (session_id, event_type, data) "
            "values (%s, %s, '{}') returning id",
            session,
            kind,
        )


class Person:
    """A user with one row in every table."""

    def __init__(self, database: Database, name: str) -> None:
        self.id = database.sign_up(f"{name}@example.test", {"display_name": name.title()})
        self.project = database.project(self.id, f"{name.title()}'s project")
        self.session = database.session(self.id, self.project)
        self.job = database.job(self.session)
        self.event = database.event(self.session)
        self.rows = {
            "profiles": self.id,
            "projects": self.project,
            "coding_sessions": self.session,
            "coding_jobs": self.job,
            "session_events": self.event,
        }


def before_examples(db: Database) -> None:
    """Have something for every example to do: a session that is over, an account that lost its profile."""
    db.rows("update public.coding_sessions set expires_at = now()")
    lost = db.sign_up("lost@example.test")
    db.rows("delete from public.profiles where id = %s", lost)
