"""Which database is meant: a URL, a variable that holds one, or libpq's own variables.

An address is taken from one place. Where `--url` or the environment has a URL, nothing of `.env`
gets into it: what a file in a checkout says of TLS or a password is not for another server.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from psycopg import pq
from psycopg.conninfo import make_conninfo

from pgvouch.address.conninfo import SHOWN, looks_like_one, other_bytes, parts_of
from pgvouch.address.foreign import told, understood
from pgvouch.address.parameters import VARIABLES
from pgvouch.errors import UsageError

EMBEDDED = "embedded:"
OPTION = "--url"
OF_FILE = " of .env"
_TOO_MANY_PORTS = 1000
_SERVER = ("PGHOST", "PGHOSTADDR")
_NEAR = {"", "localhost", "::1"}
_NOWHERE = (
    "give --url, or set DATABASE_URL (postgresql://user@host/name), "
    "or DATABASE_URL=embedded: for a server of the project's own"
)


class UnnamedError(UsageError):
    """Nothing says which database is meant."""


@dataclass(frozen=True, slots=True)
class Given:
    """What may say where the databases of a project are."""

    url: str | None = None
    """`--url`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    dotenv: Mapping[str, str] = field(default_factory=dict)
    """What counts where the environment says nothing."""
    url_env: str | None = None
    """The variable that the configuration names for all databases."""
    url_envs: Mapping[str, str] = field(default_factory=dict)
    """The variables that it names for some of them."""

    def of(self, variable: str) -> str | None:
        """Return a variable's value, the environment's ahead of that of .env; empty is none."""
        values = self.environment if variable in self.environment else self.dotenv
        return values.get(variable) or None

    def called(self, variable: str) -> str:
        """Return what a variable is called in an error."""
        return variable if variable in self.environment else f"{variable}{OF_FILE}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a database is, and what says so."""

    url: str
    source: str
    note: str = ""
    """A fact to be told."""


def find_target(name: str, given: Given, *, alone: bool) -> Target:
    """Return where a database is.

    `--url`; the variable that the configuration names for it, DATABASE_URL_<NAME>, the one that it
    names for all, DATABASE_URL; then the same of .env; then libpq's PG….

    Args:
        name: its folder; empty where the migrations are in no folder of a database's own.
        given: what may say where it is.
        alone: whether it is the only database that is asked for.

    Raises:
        UsageError: nothing says it, the URL cannot be read or names another database, or a name
            is no text in UTF-8.
    """
    if other_bytes(name) is not None:
        shown = name.encode("ascii", "backslashreplace").decode()
        raise UsageError(
            f"a database has the name of its folder, and {shown} is no text in UTF-8",
            hint="rename the folder: mv and a tab for the name, in a shell",
        )
    found = _find_url(name, given)
    if found is None:
        return _by_variables(name, given, alone=alone)
    target, is_own = found
    if target.url.startswith(EMBEDDED):
        return target
    url, left = understood(target.url, target.source)
    parts = parts_of(url, target.source)
    is_of_file = target.source.endswith(OF_FILE)
    url = _completed(url, parts, given if is_of_file else replace(given, dotenv={}))
    target = Target(url, target.source, told(target.source, left) if left else "")
    if named := parts.get("dbname"):
        what = "the URL"
    elif (says := _said_by_libpq(url)) is None:
        return target  # there is no such service, and the connection says so
    elif named := says.get("dbname"):
        what = "the service of the URL" if "service" in parts else "PGDATABASE"
    if named and not (alone or is_own):
        raise _names_one(name, what)
    if not (dbname := named or name) or dbname == parts.get("dbname"):
        return target
    return replace(target, url=make_conninfo(url, dbname=dbname))


def _find_url(name: str, given: Given) -> tuple[Target, bool] | None:
    """Return the URL, and whether it is for this database alone."""
    if given.url:
        return Target(given.url, OPTION), False
    by_name = "DATABASE_URL_" + re.sub(r"\W", "_", name).upper()
    own = (given.url_envs.get(name), by_name) if name else ()
    for values, suffix in ((given.environment, ""), (given.dotenv, OF_FILE)):
        for variable in filter(None, (*own, given.url_env, "DATABASE_URL")):
            if suffix and variable in given.environment:
                continue
            if url := values.get(variable):
                return Target(url, f"{variable}{suffix}"), variable in own
    return None


def _by_variables(name: str, given: Given, *, alone: bool) -> Target:
    """Return what PGDATABASE or PGSERVICE names."""
    database, service = given.of("PGDATABASE"), given.of("PGSERVICE")
    if not (database or service):
        raise _nowhere(given)
    url = _completed("", {}, given)
    says = _said_by_libpq(url)
    if says is None:
        return Target(url, given.called("PGSERVICE"))
    named = says.get("dbname")
    source = given.called("PGDATABASE" if named and named == database else "PGSERVICE")
    if named and looks_like_one(named):
        raise UsageError(
            f"{source} holds a URL, and not the name of a database", hint="set DATABASE_URL to it"
        )
    if named and not alone:
        raise _names_one(name, source)
    if not (named or name):
        said = f"no database is named: the service that {source} names does not say which"
        raise UsageError(said, hint="set PGDATABASE, or write dbname=… into the service file")
    return Target(make_conninfo(url, dbname=named or name), source)


def _completed(url: str, parts: Mapping[str, str], given: Given) -> str:
    """Add to a connection string what PG… variables say that libpq does not see by itself.

    Those are the ones of .env, and of a mapping in place of the environment. A service says more
    than they do, as it says more than the environment.
    """
    is_own = given.environment is os.environ
    # A PGHOSTADDR of .env would lead the environment's PGHOST elsewhere.
    is_here = any(map(given.environment.get, _SERVER))
    left = {v for v in _SERVER if is_here and v not in given.environment}
    if given.dotenv:
        beside = [given.dotenv.get(v) for v in _SERVER if not is_here]
        _refuse_stray_password([parts.get("host"), parts.get("hostaddr"), *beside], parts, given)
    added = {
        keyword: value
        for variable, keyword in VARIABLES.items()
        if keyword not in parts and variable not in left and not (is_own and variable in os.environ)
        if (value := given.of(variable))
    }
    if not added:
        return url
    _refuse_other_bytes(added, added)  # a connection string can hold none
    if "service" in parts or given.of("PGSERVICE"):
        if given.dotenv.get("PGSERVICEFILE") and "PGSERVICEFILE" not in given.environment:
            raise UsageError(
                "PGSERVICEFILE of .env cannot be used: PostgreSQL's library reads it in the "
                "environment alone",
                hint="export it; or write the settings of the service into DATABASE_URL",
            )
        service = {"service": added.pop("service")} if "service" in added else {}
        url = make_conninfo(url, **service)
        says = _said_by_libpq(url) or {}
        added = {keyword: value for keyword, value in added.items() if not says.get(keyword)}
    return make_conninfo(url, **added)


def _refuse_stray_password(
    hosts: Sequence[str | None], parts: Mapping[str, str], given: Given
) -> None:
    """Refuse to send the environment's password to a server that a file in a checkout names."""
    named = [host for text in hosts if text for host in text.split(",")]
    is_far = not all(host.startswith(("/", "@", "127.")) or host in _NEAR for host in named)
    if is_far and "password" not in parts and given.environment.get("PGPASSWORD"):
        raise UsageError(
            "PGPASSWORD of the environment is not sent to a server that .env names",
            hint="write the password into .env too, or export the address: DATABASE_URL, PGHOST",
        )


def _said_by_libpq(url: str) -> dict[str, str] | None:
    """Return what libpq makes of a connection string, service file and environment included.

    With more ports than there can be hosts it refuses to connect before it looks for any of them,
    and before it takes the user's name for that of the database.

    Returns:
        The settings, without the port; None where there is no such service.

    Raises:
        UsageError: what the database, its server or the user is called is no text in UTF-8.
    """
    asked = make_conninfo(url, port=",".join(["1"] * _TOO_MANY_PORTS))
    connection = pq.PGconn.connect_start(asked.encode())
    try:
        # A password may be any bytes: libpq sends them as they are.
        found = {
            o.keyword.decode(): o.val.decode(errors="surrogateescape")
            for o in connection.info
            if o.val
        }
    finally:
        connection.finish()
    _refuse_other_bytes(found, SHOWN)
    return found or None


def _refuse_other_bytes(settings: Mapping[str, str], names: Iterable[str]) -> None:
    for name in names:
        if other_bytes(settings.get(name, "")) is not None:
            variable = next(v for v, keyword in VARIABLES.items() if keyword == name)
            raise UsageError(
                f"the {name} in {variable} or in the service file is no text in UTF-8",
                hint=f'write it in UTF-8: printf %s "${variable}" | od -c shows its bytes',
            )


def _names_one(name: str, what: str) -> UsageError:
    return UsageError(
        f"{what} names one database, and there are several folders",
        hint=f"name the folder that it is for in the command: {name}, or another one",
    )


def _nowhere(given: Given) -> UsageError:
    wanted = [*filter(None, (given.url_env,)), *given.url_envs.values()]
    notes = [f"the configuration names {variable}, which is not set" for variable in wanted]
    if given.of("PGHOST") or given.of("PGHOSTADDR"):
        notes.append("PGHOST says which server it is on; PGDATABASE is not set")
    return UnnamedError("no database is named", notes=notes, hint=_NOWHERE)
