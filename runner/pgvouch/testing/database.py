"""A database of one test."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pgvouch.api.vouch import Vouch
from pgvouch.config.project import Database
from pgvouch.errors import Place, UsageError
from pgvouch.files.actors import Actor

if TYPE_CHECKING:
    import psycopg

    from pgvouch.engine.commands import Outcome


class ClonedDatabase:
    """A database with migrations applied, which exists as long as the test that has it."""

    def __init__(self, url: str, name: str, files: Database, vouch: Mapping[str, Any]) -> None:
        self.url = url
        """Where it is: a libpq connection string, password and all."""
        self.name = name
        """What the server calls it."""
        self.migrations = files.folder
        """The folder of its migrations."""
        self._actors = files.actors
        self._vouch = vouch
        self._connections: list[psycopg.Connection[Any]] = []

    @property
    def actors(self) -> dict[str, Actor]:
        """Those of actors.toml by name: `database.actors["ann"].id`."""
        return {actor.name: actor for actor in self._actors.all}

    @property
    def vouch(self) -> Vouch:
        """The library's object for this database: `database.vouch.verify()`."""
        return Vouch(self.url, **self._vouch)

    def connect(self, **given: Any) -> "psycopg.Connection[Any]":
        """Connect as the owner of the migrations, with autocommit.

        What a test inserts is seen at once by the application under test. The connection is closed
        with the test, if not before.

        Args:
            given: what psycopg.connect takes, such as `autocommit=False` or `row_factory=`.
        """
        import psycopg

        connection = psycopg.connect(self.url, **{"autocommit": True, **given})
        self._connections.append(connection)
        return connection

    def acting_as(self, name: str, **given: Any) -> "psycopg.Connection[Any]":
        """Connect, and act as one of actors.toml: with the role, the claims and the settings.

        They are set for the session, so that they hold in each of its transactions.

        Args:
            name: the actor's.
            given: what psycopg.connect takes.

        Raises:
            FileError: there is no such actor, or it has no role.
            UsageError: row security does not apply to the role, and actors.toml does not say so.
        """
        from pgvouch.sqltext.own import Raw, literal, own_query

        actor = self._actors.find(name, Place(self.migrations))
        assert actor.role is not None
        connection = self.connect(**given)
        with connection.transaction():
            connection.execute("set local search_path = pg_catalog, pg_temp")
            role = Raw(literal(actor.role))
            exempt = connection.execute(
                own_query("verify", "exempt_from_row_security", roles=role).encode()
            ).fetchall()
        if exempt and not actor.bypasses_rls:
            raise UsageError(
                f"row security does not apply to {name}: a test would prove nothing",
                actor.place,
                notes=[f"the role {actor.role} {tuple(exempt[0])[1]}"],
                hint="write `bypasses_rls = true` there if that is meant",
            )
        with connection.transaction():
            for statement in actor.session_sql:
                connection.execute(statement.encode())
        return connection

    def migrate(self, *, to: str | None = None) -> "Outcome":
        """Apply what is pending, up to a migration (identifier or number) or all of it.

        Raises:
            VouchError: a migration failed, or a promise was not kept.
        """
        return self.vouch.migrate(to=to)

    def rollback(self, *, to: str | None = None, discard_data: bool = False) -> "Outcome":
        """Roll the newest migration back, or all behind one.

        Args:
            to: the migration that is to be the newest one afterwards.
            discard_data: allow rows to be lost.

        Raises:
            DataLossError: rows would be lost.
        """
        return self.vouch.rollback(to=to, discard_data=discard_data)

    def close(self) -> None:
        """Close the connections that are still open."""
        for connection in self._connections:
            connection.close()
