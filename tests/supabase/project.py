"""A stand-in for a live Supabase project: its roles, its locks, and people who sign in all the time."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from conftest import ROOT, Server

TEXT = (Path(__file__).parent / "platform.sql").read_text()
AUTH = (ROOT / "migrations" / "_supabase" / "001_auth_schema.sql").read_text()
CLUSTER, DATABASE = TEXT.replace("{auth}", AUTH).split("-- next\n")
PATIENCE_S = 1.0
"""How long a client waits for one lock; it is also the server's deadlock_timeout."""


@dataclass(frozen=True)
class Live:
    """A project's database: as its administrator, as the auth server, and as the platform itself."""

    url: str

    @property
    def admin(self) -> str:
        return make_conninfo(self.url, user="project_admin")

    @property
    def auth(self) -> str:
        return make_conninfo(self.url, user="supabase_auth_admin")

    def locked(self) -> int:
        """How often the platform's tables have been locked, in whatever transaction."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(
                "select case when is_called then last_value else 0 end from supautils.locked"
            ).fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def project(server: Server, users: int = 40) -> Iterator[Live]:
    """A database with the platform in it and some accounts."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if connection.execute("select from pg_roles where rolname = 'project_admin'").rowcount == 0:
            connection.execute(CLUSTER.encode())
    name = f"t_{secrets.token_hex(6)}"
    with server.janitor(name):
        live = Live(server.url(name))
        with psycopg.connect(live.url) as connection:
            connection.execute(DATABASE.encode())
            connection.execute(
                "insert into auth.users (id, email) select gen_random_uuid(), "
                "'user' || n || '@example.test' from generate_series(1, %s) as n",
                [users],
            )
        yield live


@dataclass
class Traffic:
    """What came of people who signed in."""

    done: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    """Transactions that the server ended, by SQLSTATE: deadlocks, and waits of over a second."""
    longest_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, took_s: float, state: str | None) -> None:
        with self._lock:
            self.longest_s = max(self.longest_s, took_s)
            if state is None:
                self.done += 1
            else:
                self.killed[state] += 1


@contextmanager
def signing_in(
    live: Live, clients: int = 4, pause_s: float = 0.02, patience_s: float = PATIENCE_S
) -> Iterator[Traffic]:
    """Have people sign in all the time, as the auth server does it: three tables, users first."""
    traffic, stop, busy = Traffic(), threading.Event(), threading.Barrier(clients + 1)

    def client() -> None:
        with psycopg.connect(live.auth, application_name="sign-in") as connection:
            connection.execute(f"set lock_timeout = {int(patience_s * 1000)}")
            connection.commit()
            ids = [row[0] for row in connection.execute("select id from auth.users")]
            connection.commit()
            busy.wait(30)
            while not stop.wait(pause_s * secrets.randbelow(2000) / 1000):
                began, state = time.perf_counter(), None
                try:
                    user = secrets.choice(ids)
                    connection.execute(
                        "update auth.users set last_sign_in_at = now() where id = %s", [user]
                    )
                    (session,) = connection.execute(
                        "insert into auth.sessions (user_id) values (%s) returning id", [user]
                    ).fetchall()[0]
                    connection.execute(
                        "insert into auth.refresh_tokens (session_id) values (%s)", [session]
                    )
                    connection.commit()
                except psycopg.errors.OperationalError as exc:
                    state = exc.sqlstate
                    connection.rollback()
                traffic.add(time.perf_counter() - began, state)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    busy.wait(30)
    try:
        yield traffic
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
