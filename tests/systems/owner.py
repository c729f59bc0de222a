"""What the tests of every system share: its files, and a connection as the owner of its tables."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from pgvouch.files.actors import Actor


def migration_files(folder: Path) -> list[Path]:
    """The migrations of a folder in order, without their rollbacks."""
    return sorted(f for f in folder.glob("*.sql") if not f.name.endswith(".rollback.sql"))


class Owner:
    """A connection as the owner, and ways to act as the roles of an API."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    @property
    def conninfo(self) -> str:
        """Where another connection to the same database is made."""
        return self.connection.info.dsn

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement in a transaction of its own, or in the one that is open."""
        cursor = self.connection.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []

    def value(self, sql: str, *values: object) -> Any:
        """The only value of the only row."""
        ((value,),) = self.rows(sql, *values)
        return value

    def changed(self, sql: str, *values: object) -> int:
        """How many rows a statement changed."""
        return self.connection.execute(sql, values or None).rowcount

    def place(self, table: str) -> str:
        """A table with its schema."""
        return f"public.{table}"

    def insert(self, table: str, **values: object) -> Any:
        """Insert a row and say which id it got."""
        return self.value(
            f"insert into {self.place(table)} ({', '.join(values)}) "
            f"values ({', '.join(['%s'] * len(values))}) returning id",
            *values.values(),
        )

    @contextmanager
    def acting(self, role: str, sub: object = None) -> Iterator[Self]:
        """Be what the API gateway makes of a request: a role and the claims of a token."""
        claims = {"role": role} | ({"sub": str(sub)} if sub is not None else {})
        with self.connection.transaction():
            self.rows("select set_config('role', %s, true)", role)
            self.rows("select set_config('request.jwt.claims', %s, true)", json.dumps(claims))
            yield self

    @contextmanager
    def acting_as(self, actor: Actor) -> Iterator[Self]:
        """Be somebody whom actors.toml names."""
        with self.connection.transaction():
            for statement in actor.acting_sql:
                self.rows(statement)
            yield self

    @contextmanager
    def refused(self, error: type[psycopg.Error]) -> Iterator[None]:
        """What is inside has to fail with this error, and leaves nothing behind."""
        with pytest.raises(error), self.connection.transaction():
            yield
