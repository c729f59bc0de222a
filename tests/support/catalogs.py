"""What the tests of the catalog delta share: snapshots, and pg_dump as the second opinion."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from conftest import Server
from pgvouch.delta.snapshot import (
    SNAPSHOT_RESET,
    SNAPSHOT_SETTINGS,
    Snapshot,
    catalog_sql,
    difference,
)

ROLES = ("pgv_reader", "pgv_writer", "Odd Role")


def snapshot(connection: psycopg.Connection) -> Snapshot:
    """Take a snapshot as the engine does, in whatever transaction is open."""
    connection.execute(";\n".join(SNAPSHOT_SETTINGS))
    rows = connection.execute(catalog_sql()).fetchall()
    connection.execute(";\n".join(SNAPSHOT_RESET))
    return Snapshot.from_rows(rows)


def delta_of(connection: psycopg.Connection, sql: str) -> tuple[str, ...]:
    """What some SQL does to the catalog; it is not committed."""
    before = snapshot(connection)
    connection.execute(sql)
    return difference(before, snapshot(connection))


def make_roles(url: str) -> None:
    """Make the roles that the scripts name; they belong to the server and stay."""
    with psycopg.connect(url, autocommit=True) as connection:
        for role in ROLES:
            # Another process of the same run may be making it, too.
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                connection.execute(f'create role "{role}"')


@contextmanager
def rolled_back(url: str) -> Iterator[psycopg.Connection]:
    """A connection in a transaction that leaves nothing behind; the roles are there."""
    make_roles(url)
    with psycopg.connect(url) as connection:
        yield connection
        connection.rollback()


_CHATTER = re.compile(r"^(?:\\(?:un)?restrict .*|SET .*|SELECT pg_catalog\.set_config.*|)\n", re.M)
_NAME = re.compile(r"^--\n-- Name: .*\n--\n", re.M)
_NOT_NULL_NAME = re.compile(r'CONSTRAINT (?:\w+|"[^"]+") NOT NULL')


def dump(server: Server, url: str) -> list[str]:
    """Return the schema as pg_dump sees it, in an order of its own.

    A NOT NULL constraint's name is left out: PostgreSQL 15 to 17 have none.
    """
    ran = subprocess.run(
        [str(Path(server.bin) / "pg_dump"), "--schema-only", "--dbname", url],
        check=True,
        capture_output=True,
        text=True,
    )
    entries = _NAME.split(_NOT_NULL_NAME.sub("NOT NULL", ran.stdout))[1:]
    return sorted(_entry(_CHATTER.sub("", entry)) for entry in entries)


def _entry(text: str) -> str:
    # The order of privileges is that in which they were granted.
    lines = text.splitlines()
    if all(line.startswith(("GRANT ", "REVOKE ", "ALTER DEFAULT PRIVILEGES ")) for line in lines):
        lines.sort()
    return "\n".join(lines)
