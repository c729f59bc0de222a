"""A database as SQL, by pg_dump: the same text for the same database."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvouch.errors import ConnectError, PlanError, UsageError
from pgvouch.postgres.session import Session
from pgvouch.sqltext.own import own_query
from pgvouch.sqltext.statements import each_statement, rough_statements

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/*/bin")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_OURS = "pgvouch"
_STORAGE = {"default_tablespace": "''", "default_table_access_method": "heap"}
_STORAGE_SETTING = re.compile(rf"SET ({'|'.join(_STORAGE)}) = (.*)\Z", re.DOTALL)
_SETTINGS = re.compile(
    r"(?:SET \w+ = .*|SELECT pg_catalog\.set_config\('search_path', '', false\))\Z", re.DOTALL
)
_RESTRICT = re.compile(r"\A((?:--.*\n|\n)*)\\restrict (\w+)\n")
_LOCK_WAIT = "1min"
_NOT_UNSEEN = ("sslpassword", "oauth_client_secret")
"""What libpq takes from no environment variable."""
HEAD = (
    "-- As pg_dump writes it: each name has its schema, a function may name what comes later.\n"
    "set local search_path = '';\n"
    "set local check_function_bodies = off;\n"
)
"""Ahead of a dump that is run as a migration."""


def dump(
    session: Session,
    url: str,
    *,
    without: Iterable[str] = (),
    with_rows: bool = False,
    pg_dump: Path | None = None,
    lock_timeout: str | None = None,
) -> str:
    """Return what makes a database, without our ledger.

    Args:
        session: on it, to ask the server's version and who we are.
        url: of it.
        without: schemas to leave out.
        with_rows: rows too, as INSERT statements.
        pg_dump: the program; None finds one that is not older than the server.
        lock_timeout: how long to wait for a table that another session has locked; None: a minute.

    Raises:
        UsageError: no pg_dump is new enough, or a secret would be on its command line.
        ConnectError: it failed; what it said is in the error.
        PlanError: the database holds text in no known encoding.
    """
    (asked,) = session.ask(
        "select current_setting('server_version_num'), quote_ident(current_user)"
    )
    version, me = int(asked.rows[0][0] or 0) // 10000, str(asked.rows[0][1])
    program = pg_dump or find_pg_dump(version)
    if pg_dump and _major(pg_dump) < version:
        raise UsageError(
            f"{pg_dump} is no pg_dump of version {version}, the server's, or later",
            state="Nothing was written.",
            hint="without --pg-dump one is looked for",
        )
    where, environment = _without_password(url)
    arguments = [
        "--no-password",
        f"--lock-wait-timeout={lock_timeout or _LOCK_WAIT}",
        "--encoding=UTF8",
        "--schema-only" if not with_rows else "--rows-per-insert=100",
        *(f"--exclude-schema={_pattern(name)}" for name in (_OURS, *without)),
        f"--dbname={where}",
    ]
    ran = _run([program, *arguments], environment)
    if ran.returncode:
        raise _failed(session.mask(ran.stderr.decode(errors="replace")))
    try:
        # As it is: within a text, the end of a line is part of a value.
        text = ran.stdout.decode()
    except UnicodeDecodeError:
        raise PlanError(
            "the database holds text that is not UTF-8, and does not say in which encoding it is",
            state="Nothing was written.",
            hint="show server_encoding says SQL_ASCII: bring it to UTF8 first",
        ) from None
    return "\n".join(_kept(text, me)).strip() + "\n"


def _without_password(url: str) -> tuple[str, dict[str, str]]:
    """Return a command line's connection string, and the environment with the password.

    Raises:
        UsageError: another secret is in the URL.
    """
    given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    password = given.pop("password", None)
    if secret := next((name for name in _NOT_UNSEEN if name in given), None):
        raise UsageError(
            f"{secret} in the URL cannot be given to pg_dump but on its command line, which every "
            "user of the machine can read",
            state="Nothing was written.",
            hint="write it into a service file, and service=… in its place",
        )
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    return make_conninfo("", **given), environment


def _failed(said: str) -> ConnectError:
    hint = "connect as a role that may read all of it: its owner, or a superuser"
    if "LOCK TABLE" in said and "timeout" in said:
        hint = "another session has locked a table: again later, or --lock-timeout 10min"
    return ConnectError(
        "pg_dump could not read the database",
        notes=said.splitlines()[:10],
        state="Nothing was written.",
        hint=hint,
    )


def find_pg_dump(version: int) -> Path:
    """Return the oldest pg_dump of this machine that is not older than a server.

    Args:
        version: the server's major version.

    Raises:
        UsageError: there is none.
    """
    found = [(major, path) for path in _programs() if (major := _major(path)) >= version]
    if not found:
        raise UsageError(
            f"no pg_dump for PostgreSQL {version} is here",
            hint=f"install PostgreSQL's client programs of version {version} or later "
            "(Debian: postgresql-client), or give its path with --pg-dump",
        )
    return min(found)[1]


def _programs() -> Iterator[Path]:
    from pgvouch.embedded import wheel_bin

    if there := shutil.which("pg_dump"):
        yield Path(there)
    for pattern in _FOLDERS:
        yield from Path("/").glob(f"{pattern[1:]}/pg_dump")
    try:
        yield wheel_bin() / "pg_dump"
    except UsageError:
        return


def _major(path: Path) -> int:
    try:
        said = _run([path, "--version"], os.environ)
    except OSError:
        return 0
    match = _VERSION.search(said.stdout.decode(errors="replace"))
    return int(match[1]) if match else 0


def _run(
    command: Sequence[str | Path], environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603 - a path, no shell


def _pattern(name: str) -> str:
    """Return a pattern of pg_dump's that fits one name only."""
    quoted = name.replace('"', '""')
    return f'"{quoted}"'


def _kept(text: str, me: str) -> Iterator[str]:
    """Yield the statements that make something, each with a blank line behind it.

    The comments ahead of them, which tell each object's name once more, are left out.
    """
    if match := _RESTRICT.match(text):  # psql's own, around all of it
        text = f"{match[1]}{text[match.end() :]}".replace(f"\n\\unrestrict {match[2]}\n", "\n")
    # That of `public` is another one in a new database.
    own = re.compile(rf"ALTER (?!SCHEMA public )[A-Z ]+ .* OWNER TO {re.escape(me)}\Z", re.DOTALL)
    ours = f"ALTER DEFAULT PRIVILEGES FOR ROLE {me} "
    try:
        found = list(each_statement(text))
    except SyntaxError:  # of a server that is newer than the parser
        found = list(rough_statements(text))
    storage = dict(_STORAGE)
    for one in found:
        # Where a table lies is said by a setting ahead of it, and holds for those behind it.
        setting = _STORAGE_SETTING.match(one.text)
        if setting and storage[setting[1]] != setting[2]:
            storage[setting[1]] = setting[2]
            yield f"{one.text};\n"
        elif not _SETTINGS.match(one.text) and not own.match(one.text):
            # Those of the role that migrates, whatever it is called elsewhere.
            is_ours = one.text.startswith(ours)
            said = f"ALTER DEFAULT PRIVILEGES {one.text[len(ours) :]}" if is_ours else one.text
            yield f"{said};\n"


def schemas_of(session: Session) -> Sequence[str]:
    """Return the schemas of a database but for PostgreSQL's own, `public` and ours."""
    (result,) = session.ask(own_query("operations", "schemas"))
    return [str(row[0]) for row in result.rows]
