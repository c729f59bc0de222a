"""Templates, and the databases that are cloned from them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pgvouch.address.conninfo import parts_of
from pgvouch.address.foreign import understood
from pgvouch.address.where import EMBEDDED, Given
from pgvouch.api.vouch import Vouch
from pgvouch.config.project import Database, Project, choose, find_project
from pgvouch.errors import ConnectError, MigrationError, NotReadyError, UsageError, VouchError
from pgvouch.postgres.reach import open_session
from pgvouch.postgres.session import QueryError
from pgvouch.testing.database import ClonedDatabase
from pgvouch.testing.fingerprint import fingerprint, seed_of, short
from pgvouch.testing.own_server import own_server
from pgvouch.testing.server import GONE_OR_IN_USE, TEMPLATE, Server
from pgvouch.testing.settings import DatabaseSettings


@dataclass(frozen=True)
class _Wanted:
    """The files that settings lead to."""

    settings: DatabaseSettings
    project: Project
    database: Database
    fingerprint: str

    @property
    def given(self) -> dict[str, Any]:
        """What Vouch takes."""
        return {
            "project": self.project,
            "database": self.settings.database,
            "variables": self.settings.variables,
        }


class Databases:
    """The servers and templates of one run of pytest; what `pgvouch_databases` gives."""

    def __init__(self, root: Path, url: str | None = None, source: str = "url") -> None:
        """Connect to nothing yet.

        Args:
            root: where relative paths begin, and the embedded server has its data.
            url: the server where settings name none; None: an embedded one.
            source: what has named it, for errors.
        """
        self._root = root
        self._url = url or EMBEDDED
        self._source = source
        self._stack = ExitStack()
        self._servers: dict[str, Server] = {}
        self._read: dict[str, _Wanted] = {}
        self._ready: set[str] = set()
        self._failed: dict[str, VouchError] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    @contextmanager
    def clone(
        self, settings: DatabaseSettings, *, to: str | None = None, empty: bool = False
    ) -> Iterator[ClonedDatabase]:
        """Give a database with migrations applied; it is dropped at the end.

        Args:
            settings: which migrations, on which server.
            to: the last migration (identifier or number); None means all.
            empty: apply none.

        Raises:
            VouchError: a migration fails, or there is no server.
        """
        wanted = self._wanted(settings)
        server = self._server(settings, wanted.project)
        name = server.new_name("test")
        if empty:
            # Where a template has been made, roles are there, and are no race with other workers.
            self._make(server, wanted, None)
            _create(server, name)
        else:
            self._copy(server, wanted, to, name)
        database = ClonedDatabase(server.url_of(name), name, wanted.database, wanted.given)
        try:
            yield database
        finally:
            database.close()
            server.drop(name)

    def _wanted(self, settings: DatabaseSettings) -> _Wanted:
        """Return the files that settings lead to, which are read once."""
        key = repr(settings)
        if key not in self._read:
            config = self._root / settings.config if settings.config else None
            migrations = self._root / settings.migrations if settings.migrations else None
            project = find_project(config, migrations, start=self._root)
            names = (settings.database,) if settings.database else ()
            databases = choose(project, names, Given(EMBEDDED))
            if len(databases) > 1:
                raise UsageError(
                    "which database? The project has several",
                    hint=f"`pgvouch_database = {databases[0].name}` in pytest's configuration, or "
                    "a fixture `pgvouch_settings` of your own",
                )
            print_ = fingerprint(project, databases[0], settings)
            self._read[key] = _Wanted(settings, project, databases[0], print_)
        return self._read[key]

    def _server(self, settings: DatabaseSettings, project: Project) -> Server:
        url, source = (
            settings.url or self._url,
            "pgvouch_settings" if settings.url else self._source,
        )
        if url not in self._servers:
            is_own = url.startswith(EMBEDDED)
            server = Server(self._own(project)) if is_own else _connected(url, source)
            self._stack.callback(server.close)
            server.drop_abandoned()
            self._servers[url] = server
        return self._servers[url]

    def _own(self, project: Project) -> str:
        try:
            return self._stack.enter_context(own_server(project, self._root))
        except VouchError as exc:
            raise exc.explain(
                "any other server can be named: --pgvouch-url, PGVOUCH_TEST_URL"
            ) from None

    def _copy(self, server: Server, wanted: _Wanted, to: str | None, name: str) -> None:
        """Copy the template, which is made where it is missing."""
        template = self._make(server, wanted, to)
        try:
            server.create(name, template)
        except QueryError as exc:
            if exc.server.sqlstate not in GONE_OR_IN_USE:
                raise _cannot_create(exc) from None
            self._ready.discard(template)  # another run has dropped it
            server.create(name, self._make(server, wanted, to))

    def _make(self, server: Server, wanted: _Wanted, to: str | None) -> str:
        """Return the name of the template, which is there then."""
        folder = wanted.database.folder.resolve()
        project = f"{TEMPLATE}{short(str(folder), server.user, str(wanted.settings.seed))}_"
        template = f"{project}{wanted.fingerprint}" + (f"_{short(to)}" if to else "")
        if template in self._failed:
            raise self._failed[template]
        if template in self._ready:
            return template
        with server.building():
            if not server.is_there(template):
                try:
                    self._build(server, wanted, to, template)
                except VouchError as exc:
                    self._failed[template] = exc
                    raise
            server.note_use(template, wanted.database.name)
            server.drop_outdated(project)
        self._ready.add(template)
        return template

    def _build(self, server: Server, wanted: _Wanted, to: str | None, template: str) -> None:
        is_own = (wanted.settings.url or self._url).startswith(EMBEDDED)
        try:
            _migrate(server, wanted, to, template)
        except VouchError as exc:
            # A role that an earlier state of the files, or a crash, has left may be in the way.
            if not is_own or not server.forget_everything():
                raise _with_roles(exc) from None
            self._ready.clear()
            _migrate(server, wanted, to, template)


def _connected(url: str, source: str) -> Server:
    """Connect to a server that somebody has named.

    Raises:
        UsageError: the URL cannot be read.
        ConnectError: nothing answers there, or it does not let us in.
    """
    url, _ = understood(url, source)
    parts_of(url, source)
    try:
        return Server(url)
    except ConnectError as exc:
        if type(exc) is NotReadyError:
            exc.hint = "is the server up, and are host and port right?"
        raise exc.explain(
            f"the address is from {source}; where none is given, tests have an embedded server"
        ) from None


def _migrate(server: Server, wanted: _Wanted, to: str | None, template: str) -> None:
    name = server.new_name("build")
    _create(server, name)
    try:
        url = server.url_of(name)
        with Vouch(url, **wanted.given) as vouch:
            vouch.migrate(to=to)
        if to is None and (seed := seed_of(wanted.project, wanted.database, wanted.settings)):
            from pgvouch.operations.seed import read_seed, run_seed

            with open_session(url, application_name="pgvouch seed") as session:
                run_seed(session, wanted.database.name, read_seed(seed))
        try:
            server.complete(name, template)
        except QueryError as exc:
            raise _cannot_create(exc) from None
    except BaseException:
        server.drop(name)
        raise


def _create(server: Server, name: str) -> None:
    try:
        server.create(name)
    except QueryError as exc:
        raise _cannot_create(exc) from None


def _cannot_create(exc: QueryError) -> VouchError:
    return MigrationError(
        f"no database for tests can be created: {exc.server.primary}",
        server=exc.server,
        hint="use a server where you may create databases, or none for an embedded one",
    )


def _with_roles(exc: VouchError) -> VouchError:
    if exc.server is not None and exc.server.sqlstate == "42710":  # duplicate_object
        exc.explain(
            "roles belong to the whole server, and stay when a database is dropped: create them "
            "only where they are missing (`-- unless:`)"
        )
    return exc
