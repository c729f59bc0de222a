"""One database of a project: its files, where it is, and the connection to it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

from pgvouch.address.dotenv import DotEnv
from pgvouch.address.where import EMBEDDED, OPTION, Given
from pgvouch.config.options import Options
from pgvouch.config.project import (
    Database,
    Project,
    choose,
    database_names,
    find_project,
    unknown_database,
    which_database,
)
from pgvouch.engine import commands
from pgvouch.engine.commands import Limits
from pgvouch.errors import (
    ConnectError,
    NoDatabaseError,
    NotReadyError,
    VouchError,
)
from pgvouch.events import Listener, Note, Notice, silent
from pgvouch.files.variables import given_variables
from pgvouch.ledger.repeatable import read_runs
from pgvouch.ledger.rows import Applied
from pgvouch.postgres.reach import open_session, telling_of_loss
from pgvouch.postgres.result import BRIEF, FULL
from pgvouch.postgres.session import ConnectionLost, QueryError, Session

if TYPE_CHECKING:
    from pgvouch.api.values import Settings
    from pgvouch.ledger.repeatable import Run


class OneDatabase:
    """A database, and the migrations that make it; the calls of the library are above it."""

    def __init__(
        self,
        url: str | None = None,
        *,
        project: str | Path | Project | None = None,
        migrations: str | Path | None = None,
        database: str | None = None,
        on_event: Listener = silent,
        variables: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        dotenv: bool = False,
        create_database: bool = False,
        wait_s: float = 0.0,
        show_all_rows: bool = False,
        **settings: Unpack["Settings"],
    ) -> None:
        """Say which database. Nothing is read and nothing is connected yet.

        Args:
            url: a libpq URL or connection string, or `embedded:`; None: what the environment says,
                DATABASE_URL_<NAME>, DATABASE_URL, or PGDATABASE and the like.
            project: the configuration file; None looks for pgvouch.toml or pyproject.toml upwards.
            migrations: a folder of migrations, which needs no configuration.
            database: which one, where the project has several.
            on_event: called with what happens, in the same thread.
            variables: values of psql variables that files declare; never printed, never stored.
            environment: instead of the process's own.
            dotenv: read what that does not say in the file .env beside the configuration, as the
                program does.
            create_database: create the database where it is missing.
            wait_s: how long to wait for a server that is coming up, in seconds.
            show_all_rows: keep more of what a broken check has found.
            settings: how migrations are run, see Settings.
        """
        self._config = project
        self._folder = Path(migrations) if migrations is not None else None
        self._url = url
        self._name = database
        self.on_event = on_event
        """Called with what happens; another one may be put in its place between calls."""
        self._variables = dict(variables or {})
        self._environment = os.environ if environment is None else environment
        self._reads_dotenv = dotenv
        self._creates = create_database
        self._wait_s = wait_s
        self._shows_all_rows = show_all_rows
        self._settings = {k: str(v) for k, v in settings.items() if v is not None}
        self._chosen: Database | None = None
        self._session: Session | None = None
        self._is_entered = False
        self._tells_notices = False

    @classmethod
    def each(cls, names: Sequence[str] = (), **given: Any) -> list[Self]:
        """Return an object for each database of a project, with its files read.

        Args:
            names: which ones; none means all.
            given: what Vouch takes, but for `database`.

        Raises:
            UsageError: an unknown name, no URL, or a URL that names one database for several.
            FileError: a file that cannot be read as a migration; RefusedError lists several.
        """
        first = cls(**given)
        found = []
        for database in choose(first.project, names, first._given, first.on_event):
            vouch = cls(**given)
            vouch._config, vouch._chosen, vouch._name = first.project, database, database.name
            vouch._given = first._given
            found.append(vouch)
        return found

    def __enter__(self) -> Self:
        self._is_entered = True
        return self

    def __exit__(self, *_exc: object) -> None:
        self._is_entered = False
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one; the next call opens another."""
        if self._session is not None:
            self._session.connection.close()
            self._session = None

    @property
    def project(self) -> Project:
        """The configuration.

        Raises:
            UsageError: it cannot be read.
        """
        if not isinstance(self._config, Project):
            file = Path(self._config) if self._config is not None else None
            self._config = find_project(file, self._folder)
        return self._config

    @property
    def name(self) -> str:
        """What the database is called here: its folder, or what the URL says."""
        return self._database.name

    @property
    def url(self) -> str:
        """Where the database is, password and all; `embedded:` starts the embedded server."""
        if not self._database.is_embedded:
            return self._database.url
        from pgvouch.embedded import ensure_running

        named = self._database.url.removeprefix(EMBEDDED)
        return ensure_running(self.project).url(named or self._database.name)

    @cached_property
    def _given(self) -> Given:
        """What says where the database is."""
        file = self.project.root / ".env" if self._reads_dotenv else None
        return Given(self._url, self._environment, DotEnv(file))

    @property
    def _database(self) -> Database:
        """The files and the URL."""
        if self._chosen is None:
            wanted = (self._name,) if self._name else ()
            chosen = choose(self.project, wanted, self._given, self.on_event)
            if len(chosen) > 1:
                raise which_database([database.name for database in chosen])
            self._chosen = chosen[0]
        return self._chosen

    def _options(self, **given: Any) -> Options:
        """Return how migrations are to be run: what was given over the configuration."""
        return Options.of(
            {**self.project.settings, **self._settings},
            variables=given_variables(self._variables, self._given.dotenv),
            strict=self.project.strict,
            **given,
        )

    @contextmanager
    def _connected(
        self, command: str, *, notices: bool = False, only_looks: bool = False
    ) -> Iterator[Session]:
        """Give the session, which the first call opens; `only_looks` never creates a database."""
        with as_vouch_errors():
            session = self._open(command, only_looks=only_looks)
            self._tells_notices = notices
            try:
                with telling_of_loss():
                    yield session
            finally:
                self._tells_notices = False
                session.roll_back()
                if not self._is_entered:
                    self.close()

    def _open(self, command: str, *, only_looks: bool) -> Session:
        if self._session is not None:
            self._session.revive()
            return self._session

        def tell(severity: str, text: str) -> None:
            if self._tells_notices:
                self.on_event(Notice(severity, text))

        with self._saying_where():
            session = open_session(
                self.url,
                application_name=f"pgvouch {command}",
                create=not only_looks and (self._creates or self._database.is_embedded),
                wait_s=self._wait_s,
                tell=self.on_event,
            )
        session.sample = FULL if self._shows_all_rows else BRIEF
        session.on_notice(tell)
        self._session = session
        return session

    @contextmanager
    def _saying_where(self) -> Iterator[None]:
        """Let an error say what the address is from, where that is not before everyone's eyes."""
        try:
            yield
        except VouchError as exc:
            if self._database.source != OPTION and not self._database.is_embedded:
                exc.notes.append(f"the address is from {self._database.source}")
            raise

    @contextmanager
    def _waiter(self, left_s: float) -> Iterator[Session]:
        """Open a session that only looks, on a database that another process makes."""
        with self._saying_where():
            session = open_session(
                self.url, application_name="pgvouch wait", wait_s=left_s, tell=self.on_event
            )
        with as_vouch_errors(), session, telling_of_loss():
            yield session

    def _read(self) -> tuple[list[Applied], Limits | None, list["Run"]]:
        """Return the ledger's rows, what the role has, and the runs of repeatable migrations.

        A missing database has none of them.
        """
        try:
            with self._connected("status", only_looks=True) as session:
                rows, limits = commands.read_ledger(session), commands.read_limits(session)
                return rows, limits, read_runs(session) if limits.has_repeatables else []
        except NoDatabaseError:
            return [], None, []

    def _applied(self) -> frozenset[str]:
        """Return the identifiers in the ledger, without starting a server for it.

        One that cannot be reached is no reason to write nothing: migrate would report the drift.
        """
        try:
            if self._is_asleep:
                return frozenset()
            with self._connected("stamp", only_looks=True) as session:
                return frozenset(row.id for row in commands.read_ledger(session))
        except VouchError as exc:
            self.on_event(Note(f"{self._name}: applied files are not known: {exc.message}"))
            return frozenset()

    @property
    def _is_asleep(self) -> bool:
        """Whether it is on the embedded server, and that does not run."""
        from pgvouch.embedded import data_folder, find_running

        return self._database.is_embedded and find_running(data_folder(self.project)) is None

    @contextmanager
    def _asked(self) -> Iterator[Session]:
        """Give a session for a question that is not worth starting a server.

        Raises:
            NotReadyError: the embedded server does not run.
        """
        if self._is_asleep:
            raise NotReadyError("the embedded server does not run")
        with self._connected("explain", only_looks=True) as session:
            yield session

    def _folder_name(self) -> str:
        """Return the folder of the database, which needs no URL."""
        names = database_names(self.project) if self.project.migrations.is_dir() else [""]
        if self._name is not None:
            if self._name not in names and names == [""]:
                raise unknown_database(self.project, names, self._name)
            return self._name
        if len(names) > 1:
            raise which_database(names)
        return (names or [""])[0]


@contextmanager
def as_vouch_errors() -> Iterator[None]:
    """Turn an error of a statement of our own into one that every caller catches."""
    try:
        yield
    except QueryError as exc:
        raise VouchError(
            f"the server refused a statement of pgvouch's own: {exc.server.primary}",
            server=exc.server,
            hint="pgvouch status shows what is in the database",
        ) from exc
    except ConnectionLost as exc:
        raise ConnectError(
            "the connection was lost",
            notes=str(exc).splitlines()[:3],
            hint="pgvouch status shows what is in the database; the same command again goes on",
        ) from exc
