"""yoyo's PostgreSQL backend, made to work on one connection and in one transaction.

Stock yoyo runs a migration on one connection and marks it on another, so a crash between the two
leaves the one without the other. Here the backend borrows the engine's connection, never begins or
commits by itself, and gives its ledger statements as text to be sent with the engine's message.
"""

import getpass
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Self

import psycopg
from yoyo import internalmigrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.migrations import get_migration_hash
from yoyo.utils import change_param_style

from pgvouch.postgres.result import said_by
from pgvouch.postgres.session import ConnectionLost, QueryError
from pgvouch.sqltext.own import literal

SCHEMA = "pgvouch"


@contextmanager
def noticing_loss(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Let what psycopg's own calls say of a lost connection be said in our words.

    Raises:
        ConnectionLost: the connection ended inside.
    """
    try:
        yield
    except psycopg.OperationalError as exc:
        if connection.closed:
            raise ConnectionLost(str(exc).strip()) from exc
        raise


@contextmanager
def in_our_words(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Let what psycopg's own calls raise be raised in our words.

    Raises:
        ConnectionLost: the connection ended inside.
        QueryError: PostgreSQL refused something.
    """
    try:
        with noticing_loss(connection):
            yield
    except psycopg.Error as exc:
        raise QueryError(said_by(exc), ()) from exc


class _SilentCursor(psycopg.Cursor[Any]):
    """A cursor of whose rows yoyo prints nothing: it prints where there is a description."""

    @property
    def description(self) -> None:
        """None, whatever there is."""
        return None


class VouchBackend(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """A yoyo backend inside a transaction that the engine begins and ends."""

    # yoyo asks for `<table>_quoted`; ours are always qualified, whatever the search_path is.
    migration_table_quoted = f'"{SCHEMA}"."_yoyo_migration"'
    log_table_quoted = f'"{SCHEMA}"."_yoyo_log"'
    version_table_quoted = f'"{SCHEMA}"."_yoyo_version"'
    lock_table_quoted = f'"{SCHEMA}"."yoyo_lock"'
    migration_table = "_yoyo_migration"
    has_transactional_ddl = True

    # yoyo's table has a column for a comment, and its statement none.
    log_migration_sql = PostgresqlPsycopgBackend.log_migration_sql.replace(
        "{quoted.created_at_utc}", "{quoted.created_at_utc}, comment"
    ).replace(":created_at_utc", ":created_at_utc, :comment")

    comment: str | None = None
    """Goes into the log beside each migration."""

    def __init__(self, connection: psycopg.Connection[Any], *, in_transaction: bool = True) -> None:
        # Not super().__init__: it would open a connection of its own.
        self._connection = connection
        self._in_transaction = in_transaction
        self.DatabaseError = psycopg.DatabaseError

    def copy(self) -> Self:
        """Return itself: a second connection would be a second transaction."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Leave the connection open: it is the engine's."""

    def cursor(self) -> psycopg.Cursor[Any]:
        """Return the cursor on which yoyo runs a step of SQL."""
        return _SilentCursor(self.connection)

    @contextmanager
    def lock(self, timeout: float = 10) -> Iterator[None]:
        """Hold nothing: the engine holds the ledger's row already."""
        yield

    def list_tables(self, **_parameters: object) -> list[str]:
        """Return the tables of the ledger's schema."""
        query = "select tablename from pg_catalog.pg_tables where schemaname = :schema"
        return [row[0] for row in self.execute(query, {"schema": SCHEMA}).fetchall()]

    def create_tables(self) -> None:
        """Create yoyo's ledger tables as yoyo itself would, in the schema pgvouch.

        Also an empty lock table, so that stock yoyo finds all it expects.
        """
        self.execute(f"set local search_path = {SCHEMA}, pg_temp")
        if internalmigrations.needs_upgrading(self):
            internalmigrations.upgrade(self)
            self.execute(self.format_sql(self.create_lock_table_sql))

    def mark_sql(self, migration_id: str, operation: str = "apply") -> tuple[str, str]:
        """Return the statements with which yoyo marks a migration as applied.

        Args:
            migration_id: the migration.
            operation: as yoyo's log has it: `mark`, where nothing was run.
        """
        mark = self._text(
            self.mark_migration_sql,
            {
                "migration_hash": get_migration_hash(migration_id),
                "migration_id": migration_id,
                "when": str(_utc_now()),
            },
        )
        return mark, self._log_sql(migration_id, operation)

    def unmark_sql(self, migration_id: str) -> tuple[str, str]:
        """Return the statements with which yoyo takes the mark away."""
        unmark = self._text(
            self.unmark_migration_sql, {"migration_hash": get_migration_hash(migration_id)}
        )
        return unmark, self._log_sql(migration_id, "rollback")

    def _log_sql(self, migration_id: str, operation: str) -> str:
        values = self.get_log_data(None, operation)
        values |= {"migration_id": migration_id, "migration_hash": get_migration_hash(migration_id)}
        return self._text(self.log_migration_sql, values)

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, Any]:
        """Return yoyo's log fields; the plain host name, for a full one may wait on DNS."""
        import uuid

        return {
            "id": str(uuid.uuid1()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": _user(),
            "hostname": _host(),
            "created_at_utc": str(_utc_now()),
            "operation": operation,
            "comment": self.comment,
        }

    def _text(self, template: str, values: Mapping[str, Any]) -> str:
        """Fill yoyo's statement with quoted literals, so that it can travel in one message."""
        if template not in _TEXTS:
            names = dict.fromkeys(values)
            _TEXTS[template], _ = change_param_style("pyformat", self.format_sql(template), names)
        return _TEXTS[template] % {name: literal(value) for name, value in values.items()}


class _NoRows:
    """What yoyo reads in a schema that is not there yet."""

    def fetchone(self) -> None:
        """Return no row."""


class _Writing(VouchBackend):
    """Keeps what yoyo would send to an empty schema, so that it can travel in one message."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection)
        self.statements: list[str] = []

    def list_tables(self, **_parameters: object) -> list[str]:
        """Return none."""
        return []

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> _NoRows:
        """Keep a statement."""
        self.statements.append(self._text(sql, params) if params else sql.strip())
        return _NoRows()


def tables_sql(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the statements with which yoyo makes its tables in an empty schema pgvouch.

    The table of its first version, which it makes, reads and drops again, is left out.
    """
    backend = _Writing(connection)
    backend.create_tables()
    made, table = backend.statements, backend.migration_table_quoted
    dropped = f"DROP TABLE {table}"
    behind = made.index(dropped) + 1 if dropped in made else 0
    return [*[sql for sql in made[:behind] if table not in sql], *made[behind:]]


_TEXTS: dict[str, str] = {}
"""yoyo's statements with their places as Python fills them."""


@cache
def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "unknown"


@cache
def _host() -> str:
    return socket.gethostname()


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
