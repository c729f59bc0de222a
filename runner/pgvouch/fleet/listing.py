"""Which databases a fleet has: a query, a pattern, a file. Passwords stay where they are."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvouch.address.conninfo import URL, looks_like_one, parts_of
from pgvouch.address.where import EMBEDDED, Given
from pgvouch.config.project import Project
from pgvouch.errors import ConnectError, MigrationError, Place, UsageError
from pgvouch.fleet.password import reached
from pgvouch.fleet.settings import FleetSettings
from pgvouch.fleet.target import Target, storable
from pgvouch.postgres.connect_errors import describe
from pgvouch.postgres.reach import open_session
from pgvouch.postgres.result import Result as Answer
from pgvouch.postgres.session import ConnectionLost, QueryError
from pgvouch.sqltext.own import own_query

_IN_BRACES = re.compile(r"\{(\w+)\}")
_NOT_FOUND = {"42P01", "42883", "42704"}
_KNOWN = {"name", "url", "wave", "template"}


class Listing:
    """The databases of a fleet, as its source has them."""

    def __init__(self, project: Project, settings: FleetSettings, given: Given) -> None:
        """Say which.

        Args:
            project: the configuration.
            settings: of the fleet, with what the command line says.
            given: what says where things are: the environment, --url.
        """
        self.project = project
        self.settings = settings
        self.given = given
        self._stdin: list[str] | None = None

    @property
    def control_url(self) -> str | None:
        """Where the control database is, password and all; None: there is none."""
        if self.settings.control is None:
            return None
        url = self.given.of(self.settings.control)
        if url is None:
            raise UsageError(
                f"{self.settings.control} is not set",
                hint="it holds the URL of the control database of the fleet",
            )
        return self._resolved(url, None)

    def targets(self) -> list[Target]:
        """Return the databases as they are now, templates among them, in the order of their source.

        Raises:
            UsageError: nothing says which, a URL that cannot be read, or a name that comes twice.
            ConnectError: the control database or the server cannot be reached.
            MigrationError: the query fails.
        """
        settings = self.settings
        if settings.targets is not None:
            rows = self._asked(settings.targets)
        elif settings.pattern is not None:
            rows = self._matching(settings.pattern)
        elif settings.file is not None:
            rows = self._listed(settings.file)
        else:
            raise UsageError(
                f"nothing says which databases the fleet {settings.name} has",
                hint="--pattern 'tenant_*', --file FILE, or --targets QUERY with --control; or the "
                f"same in [fleet.{settings.name}] of the configuration",
            )
        found: dict[str, Target] = {}
        for row in rows:
            target = self._target(row)
            if target.name in found:
                raise UsageError(f"the database {target.name} comes twice in the fleet")
            found[target.name] = target
        if settings.template and settings.template not in found:
            row = {"name": settings.template, "template": True}
            found = {settings.template: self._target(row), **found}
        _refuse_same(found.values())
        return list(found.values())

    def ask(self, query: str, what: str, timeout_s: float | None = None) -> Answer:
        """Ask the control database something, which may write nothing.

        Args:
            query: one statement.
            what: it is called in errors.
            timeout_s: how long it may take; None: as long as the server lets it.

        Raises:
            UsageError: there is no control database, or there are several statements.
            ConnectError: it cannot be reached.
            MigrationError: the query fails.
        """
        url = self.control_url
        if url is None:
            raise UsageError(
                f"{what} has no control database to ask",
                hint=f'control = "CONTROL_URL" under [fleet.{self.settings.name}], or --control',
            )
        limit = "" if timeout_s is None else f"set local statement_timeout = {timeout_s * 1000:.0f}"
        with open_session(url, application_name="pgvouch fleet") as session:
            (searched,) = session.run("select pg_catalog.current_schemas(false)")
            schemas = searched.rows[0][0]
            (trusted,) = session.ask(own_query("fleet", "trusted_path", schemas=schemas))
            path, strange = trusted.rows[0]
            try:
                session.run(f"begin read only;\nset local search_path = {path};\n{limit}")
                (result,) = session.run(f"{query}\n;\ncommit")[:-1]
            except QueryError as exc:
                is_hidden = strange and exc.server.sqlstate in _NOT_FOUND
                raise MigrationError(
                    f"{what} fails: {exc.server.primary}",
                    statement=query,
                    server=exc.server,
                    hint=f"write the schema of each table, as in {strange}.NAME: where others may "
                    "create, nothing is looked for by its name alone"
                    if is_hidden
                    else None,
                ) from None
            except ConnectionLost:
                raise ConnectError(f"the control database has ended {what}") from None
            except ValueError:
                raise UsageError(f"{what} is one statement") from None
        return result

    def _asked(self, query: str) -> Iterator[Mapping[str, Any]]:
        result = self.ask(query, "the query for the databases")
        names = result.columns or ()
        if "name" not in names:
            raise UsageError(
                "the query for the databases gives no column `name`",
                notes=[f"it gives {', '.join(names) or 'no rows'}"],
            )
        for row in result.rows:
            yield dict(zip(names, row, strict=True))

    def _matching(self, pattern: str) -> Iterator[Mapping[str, Any]]:
        server = self._target(
            {"name": "postgres", "url": self._resolved(self._server_url(), "postgres")}
        )
        with open_session(reached(server), application_name="pgvouch fleet") as session:
            (result,) = session.ask(own_query("fleet", "databases"))
        control = self.control_url
        own = conninfo_to_dict(control).get("dbname") if control else None
        for (name,) in result.rows:
            assert name is not None
            if fnmatchcase(name, pattern) and name != own:
                yield {"name": name, "template": name == self.settings.template}

    def _listed(self, file: str) -> Iterator[Mapping[str, Any]]:
        for number, line in enumerate(self._lines(file), start=1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            place = Place(Path(file), number)
            if text.startswith("{"):
                try:
                    yield json.loads(text)
                except ValueError as exc:
                    raise UsageError(f"this line is not JSON: {exc}", place) from None
            elif looks_like_one(text):
                parts = parts_of(text, f"line {number}")
                if "dbname" not in parts:
                    raise UsageError("this URL names no database", place)
                yield {"name": parts["dbname"], "url": text}
            elif "@" in text and "/" in text:
                raise UsageError(
                    "this line looks like a URL without its postgresql://",
                    place,
                    hint='a name that is so is written as JSON: {"name": "…"}',
                )
            else:
                yield {"name": text}

    def _lines(self, file: str) -> Sequence[str]:
        if file != "-":
            try:
                return Path(file).read_text(encoding="utf-8").splitlines()
            except OSError as exc:
                raise UsageError.unreadable(Path(file), exc) from None
            except UnicodeDecodeError:
                raise UsageError("this list is not UTF-8", Place(Path(file))) from None
        if self._stdin is None:  # it is listed again at the end of a rollout
            self._stdin = sys.stdin.read().splitlines()
        return self._stdin

    def _target(self, row: Mapping[str, Any]) -> Target:
        name = str(row.get("name") or "")
        if not name:
            raise UsageError("a database of the fleet has no name")
        if storable(name) != name:
            raise UsageError("a name in the list of the fleet's databases is none of a database")
        if row.get("url"):
            conninfo = self._resolved(str(row["url"]), None)
        elif self.settings.url:
            conninfo = self._resolved(self._filled(self.settings.url, row), None)
        else:
            conninfo = self._resolved(self._server_url(), name)
        parts = parts_of(conninfo, f"the list, for {name}")
        is_template = str(row.get("template") or "").lower() in {"true", "t", "1", "yes"}
        wave = row.get("wave")
        return Target(
            name,
            conninfo,
            _server(parts),
            str(wave) if wave is not None else None,
            is_template or name == self.settings.template,
            tuple(_word(word, row) for word in self.settings.password_command),
        )

    def _filled(self, template: str, row: Mapping[str, Any]) -> str:
        """Return a URL with what a row has in the place of braces, and the environment of `${…}`.

        A value stays one, whatever is in it: percent-encoded in a URL, and with backslashes among
        keywords, where they count inside of quotes and outside.
        """
        is_url = URL.match(template) is not None

        def value(match: re.Match[str]) -> str:
            if match[0].startswith("$"):
                found = self.given.of(match[1])
                if found is None:
                    raise UsageError(
                        f"{match[1]} is not set",
                        hint=f"the URL of the fleet {self.settings.name} needs it",
                    )
            else:
                found = _of_row(row, match, "the URL of the fleet")
            if is_url:
                return quote(found, safe="")
            if not found:  # what follows would become the value
                raise UsageError(f"{match[0]} in the URL of the fleet is empty for {row['name']}")
            return re.sub(r"([\\'\s])", r"\\\1", found)

        return re.sub(rf"\$?{_IN_BRACES.pattern}", value, template)

    def _server_url(self) -> str:
        variable = self.settings.server or "DATABASE_URL"
        url = self.given.url or self.given.of(variable)
        if not url:
            raise UsageError(
                "it is not said on which server the databases are",
                hint=f"set {variable} to its URL, or give --url",
            )
        return url

    def _resolved(self, url: str, database: str | None) -> str:
        if url.startswith(EMBEDDED):
            from pgvouch.embedded import ensure_running

            named = database or url.removeprefix(EMBEDDED)
            return ensure_running(self.project).url(named or "postgres")
        return make_conninfo(url, dbname=database) if database else url


class Chosen(Listing):
    """Some of the databases of a fleet."""

    def __init__(self, listing: Listing, targets: Sequence[Target]) -> None:
        """Say which."""
        super().__init__(listing.project, listing.settings, listing.given)
        self._targets = list(targets)

    def targets(self) -> list[Target]:
        """Return them."""
        return self._targets


def _of_row(row: Mapping[str, Any], match: re.Match[str], what: str) -> str:
    if (found := row.get(match[1])) is None:
        raise UsageError(
            f"{what} needs {match[0]}, which {row.get('name')} has not",
            hint="let the query give a column of that name",
        )
    return str(found)


def _word(word: str, row: Mapping[str, Any]) -> str:
    """Return a word of password_command with what a row has in the place of braces."""
    filled = re.sub(
        rf"(?<!\$){_IN_BRACES.pattern}", lambda found: _of_row(row, found, "password_command"), word
    )
    if filled.startswith("-") and not word.startswith("-"):
        raise UsageError(
            f"{word} in password_command becomes an option of the program for {row.get('name')}"
        )
    return filled


def _refuse_same(targets: Iterable[Target]) -> None:
    """Refuse a database that has two names in the fleet: it would be worked on twice at once."""
    known: dict[tuple[str | None, ...], str] = {}
    for target in targets:
        parts = parts_of(target.conninfo)
        # Without a name, it is the service or the user who says which database.
        says = ("dbname",) if "dbname" in parts else ("service", "user")
        where = (target.server.lower(), *map(parts.get, says))
        if where in known:
            raise UsageError(
                f"{known[where]} and {target.name} are the same database of the fleet",
                notes=[f"both are {describe(parts)}"],
            )
        known[where] = target.name


def _server(parts: Mapping[str, str]) -> str:
    host = parts.get("hostaddr") or parts.get("host") or parts.get("service") or "local"
    port = parts.get("port", "5432")
    return host if host.startswith("/") and port == "5432" else f"{host}:{port}"
