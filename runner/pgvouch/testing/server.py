"""Makes, copies and drops the databases of tests on one server.

Their names say what they are: pgvouch_template_… is a template that is complete, for it got this
name last; pgvouch_test_… and pgvouch_build_… belong to one session, whose number is in the name.
That session holds a lock of this number as long as it lives: what belongs to a dead one is dropped.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

from psycopg.conninfo import make_conninfo

from pgvouch.postgres.reach import open_session
from pgvouch.postgres.session import QueryError, Session
from pgvouch.sqltext.own import literal, own_query

_SESSIONS, _BUILDING = 0x70677674, 0x70677662
"""The spaces of our advisory locks."""
_TEMPORARY = re.compile(r"pgvouch_(?:test|build)_([0-9a-f]{8})_\d+\Z")
_USED = re.compile(r"last used ([\d:.T-]+)")
TEMPLATE = "pgvouch_template_"
_KEPT = 3
"""How many states of the files of a project have their templates kept."""
GONE_OR_IN_USE = {"3D000", "55006"}  # invalid_catalog_name, object_in_use
_IS_THERE = {"42P04", "23505"}


class Server:
    """A connection to one server, for as long as tests run."""

    def __init__(self, url: str) -> None:
        """Connect.

        Args:
            url: where the server is; the database that it names is not touched.

        Raises:
            ConnectError: there is no connection to its database `postgres`.
        """
        self.url = make_conninfo(url, dbname="postgres")
        self._token = secrets.randbits(31)
        self._numbers = count(1)
        self._session = open_session(self.url, application_name="pgvouch testing")
        self._lock_own()
        ((self.user, fsync),) = self._ask("me")
        # Copying files waits for two checkpoints, which cost nothing where nothing is flushed.
        self._strategy = "wal_log" if fsync == "on" else "file_copy"

    def close(self) -> None:
        """End the connection; what has this session's number may be dropped from now on."""
        self._session.connection.close()

    def url_of(self, name: str) -> str:
        """Return the URL of a database."""
        return make_conninfo(self.url, dbname=name)

    def new_name(self, what: str) -> str:
        """Return a name that no other database has; `what` is `test` or `build`."""
        return f"pgvouch_{what}_{self._token:08x}_{next(self._numbers)}"

    def create(self, name: str, template: str = "template0") -> None:
        """Create a database, a template's whole copy.

        Raises:
            QueryError: the template is gone, or it may not be done.
        """
        self._run(f"create database {name} template {template} strategy {self._strategy}")
        if template.startswith(TEMPLATE):
            lost = self._ask("lost_in_a_copy", template=template, copy=name)
            if lost:
                self._run("; ".join(statement for (statement,) in lost))

    def drop(self, name: str) -> None:
        """Drop a database with whatever is connected to it."""
        self._run(f"drop database if exists {name} with (force)")

    def complete(self, build: str, template: str) -> None:
        """Make a template of a database, unless another session has made the same.

        Raises:
            QueryError: a database of another role has its name: what is in that, is not known.
        """
        self._run(f"alter database {build} with allow_connections false")
        try:
            self._run(f"alter database {build} rename to {template}")
        except QueryError as exc:
            if exc.server.sqlstate not in _IS_THERE or not self.is_there(template):
                raise
            self.drop(build)

    def is_there(self, template: str) -> bool:
        """Say whether there is a template of this name."""
        return [template] in [row[:1] for row in self._ask("databases", start=template)]

    def note_use(self, template: str, whose: str) -> None:
        """Write down that a template is used now."""
        ((now,),) = self._ask("now")
        comment = f"kept by pgvouch for the tests of {whose}; last used {now}; may be dropped"
        with suppress(QueryError):  # others may have dropped it
            self._run(f"comment on database {template} is {literal(comment)}")

    @contextmanager
    def building(self) -> Iterator[None]:
        """Keep other sessions from building a template meanwhile: roles belong to the server."""
        self._ask("lock", space=_BUILDING, number=0)
        try:
            yield
        finally:
            with suppress(QueryError):
                self._ask("unlock", space=_BUILDING, number=0)

    def drop_abandoned(self) -> None:
        """Drop what sessions have left that ended without doing so."""
        left: dict[int, list[str]] = {}
        for name, _ in self._ask("databases", start="pgvouch_"):
            match = _TEMPORARY.match(name)
            if match and int(match[1], 16) != self._token:
                left.setdefault(int(match[1], 16), []).append(name)
        for token, names in left.items():
            if self._ask("try_lock", space=_SESSIONS, number=token)[0][0] == "t":
                for name in names:
                    self.drop(name)
                self._ask("unlock", space=_SESSIONS, number=token)

    def drop_outdated(self, project: str, keep: int = _KEPT) -> None:
        """Drop the templates of a project but for those used last.

        Args:
            project: what their names begin with.
            keep: how many states of the files; each may have several templates.
        """
        used: dict[str, str] = {}
        there = self._ask("databases", start=project)
        for name, comment in there:
            match = _USED.search(comment)
            state = name[: len(project) + 16]
            used[state] = max(used.get(state, ""), match[1] if match else "")
        kept = sorted(used, key=lambda state: used[state], reverse=True)[:keep]
        for name, _ in there:
            if not name.startswith(tuple(kept)):
                with suppress(QueryError):  # another session copies it at this moment
                    self._run(f"drop database if exists {name}")

    def forget_everything(self) -> bool:
        """Drop templates and roles, for a server that is the tests' own.

        Returns:
            Whether there was a role.
        """
        self.drop_abandoned()
        self.drop_outdated(TEMPLATE, keep=0)
        roles = self._ask("roles")
        for (role,) in roles:
            with suppress(QueryError):  # a database of another session depends on it
                self._run(f"drop role if exists {role}")
        return bool(roles)

    def _lock_own(self) -> None:
        self._ask("try_lock", space=_SESSIONS, number=self._token)

    def _revived(self) -> Session:
        """Return the session, connected anew where a test has stopped the server meanwhile."""
        before = self._session.connection
        self._session.revive()
        if self._session.connection is not before:
            self._lock_own()
        return self._session

    def _run(self, statements: str) -> None:
        self._revived().run(statements)

    def _ask(self, name: str, **values: object) -> list[list[str]]:
        (result,) = self._session.ask(own_query("testing", name, **values))
        return [[str(value) for value in row] for row in result.rows]
