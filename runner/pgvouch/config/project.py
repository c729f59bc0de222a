"""The configuration file, the folders of databases, and where each one is."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pgvouch.address.where import EMBEDDED, Given, find_target
from pgvouch.config.options import SETTINGS
from pgvouch.errors import Gathered, Place, UsageError
from pgvouch.events import Listener, Note, silent
from pgvouch.files.actors import ACTORS, Actors, read_actors
from pgvouch.files.folder import read_folder
from pgvouch.files.migration import Migration
from pgvouch.files.regular import is_of_another
from pgvouch.files.repeatable import read_repeatables
from pgvouch.files.strays import ALWAYS, databases_in, is_migration
from pgvouch.files.version import BACK, Version, stem_of
from pgvouch.sqltext.near import nearest

_KEYS = {
    *("migrations", "templates", "seed", "verify", "strict", "requires", "databases", "embedded"),
    *("dump", "url_env", "fleet"),
    *SETTINGS,
}
_DATABASE_KEYS = {"requires", "url_env"}
_EMBEDDED_KEYS = {"bin", "data"}
_DUMP_KEYS = {"file", "exclude_schemas", "pg_dump"}


@dataclass(frozen=True, slots=True)
class Dump:
    """How the schema is written into a file."""

    file: str | None = None
    """Where there are several databases: a folder."""
    exclude_schemas: tuple[str, ...] = ()
    pg_dump: str | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """What the configuration says; without one, a folder of migrations and the defaults."""

    root: Path
    migrations: Path
    templates: Path
    seed: Path
    config_file: Path | None = None
    verify_required: bool = False
    strict: bool = False
    """Whether warnings about files are errors."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Those of `SETTINGS` that it names, as they are written."""
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    embedded_bin: Path | None = None
    embedded_data: Path | None = None
    dump: Dump = Dump()
    fleets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`[fleet.NAME]`, as it is written: the room of that name reads it."""
    url_envs: Mapping[str, str] = field(default_factory=dict)
    """The environment variables that hold URLs, by database; "": for all."""

    def schema_file(self, folder: Path) -> Path:
        """Return the file for the schema of the database whose migrations are in a folder."""
        if folder == self.migrations:
            return self.root / (self.dump.file or "schema.sql")
        return self.root / (self.dump.file or "schema") / f"{folder.name}.sql"

    @property
    def server_data(self) -> Path:
        """Where the embedded server keeps its data."""
        return self.embedded_data or self.root / ".pgvouch" / "server"


@dataclass(frozen=True, slots=True)
class Database:
    """One folder of migrations with the platform sets before it, and where it is applied."""

    name: str
    folder: Path
    url: str
    migrations: tuple[Migration, ...]
    """Platform sets first."""
    repeatables: tuple[Migration, ...] = ()
    """In the order in which they are run, behind the others."""
    source: str = ""
    """What said where it is: `--url`, `DATABASE_URL`, `PGDATABASE of .env`."""

    @property
    def is_embedded(self) -> bool:
        """Whether it is on the embedded server."""
        return self.url.startswith(EMBEDDED)

    @property
    def always(self) -> dict[Path, Actors]:
        """What holds whatever is applied: the files of platform sets and its own, with actors."""
        sets = {m.folder: m.actors for m in self.migrations if m.set_name}
        files = {
            folder / "verify" / ALWAYS: who
            for folder, who in {**sets, self.folder: self.actors}.items()
        }
        return {path: who for path, who in files.items() if path.exists()}

    @property
    def actors(self) -> Actors:
        """Who may act in its checks."""
        return _actors_of(self.migrations)

    @property
    def by_id(self) -> dict[str, Migration]:
        """The migrations by identifier."""
        return {migration.id: migration for migration in self.migrations}


def find_project(
    config: Path | None = None, migrations: Path | None = None, *, start: Path | None = None
) -> Project:
    """Read the configuration.

    Args:
        config: the file to read; None looks for pgvouch.toml or pyproject.toml upwards.
        migrations: a folder of migrations that needs no configuration.
        start: where the search begins; None is the working directory.

    Raises:
        UsageError: a file that is not there or not TOML, an unknown key, a value that cannot be.
    """
    here = start or Path.cwd()
    file = config or (_find_upwards(here) if migrations is None else None)
    if file is None:
        project = Project(here, here / "migrations", here / "templates", here / "seed")
    else:
        project = _project(file.resolve(), _table(file))
    return replace(project, migrations=migrations.resolve()) if migrations else project


def _find_upwards(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        own, shared = folder / "pgvouch.toml", folder / "pyproject.toml"
        if own.is_file():
            return _trusted(own)
        if shared.is_file() and b"[tool.pgvouch" in shared.read_bytes():
            return _trusted(shared)
    return None


def _trusted(file: Path) -> Path:
    """Refuse a file that was found and not named, if somebody else can have put it there."""
    if is_of_another(file):
        raise UsageError(
            f"{file.name} belongs to another user, and would say which programs are run",
            Place(file),
            hint=f"where it is meant: --config {file}",
        )
    return file


def _table(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise UsageError.unreadable(file, exc) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise UsageError(f"{file.name} is not TOML: {exc}", Place(file)) from None
    if file.name == "pyproject.toml":
        return dict(document.get("tool", {}).get("pgvouch", {}))
    return dict(document)


def _project(file: Path, table: dict[str, Any]) -> Project:
    _refuse_unknown(file, "", table, _KEYS)
    root = file.parent
    databases = table.get("databases", {})
    embedded = table.get("embedded", {})
    dump = table.get("dump", {})
    _refuse_unknown(file, "embedded.", embedded, _EMBEDDED_KEYS)
    _refuse_unknown(file, "dump.", dump, _DUMP_KEYS)
    for name, settings in databases.items():
        _refuse_unknown(file, f"databases.{name}.", settings, _DATABASE_KEYS)
    verify, strict = table.get("verify", "optional"), table.get("strict", False)
    if verify not in {"required", "optional"}:
        raise UsageError(f'verify is "required" or "optional", not {verify!r}', Place(file))
    if not isinstance(strict, bool):
        raise UsageError(f"strict is true or false, not {strict!r}", Place(file))
    settings = {name: str(table[name]) for name in SETTINGS if name in table}
    for name, text in settings.items():
        SETTINGS[name].read(text, Place(file))
    return Project(
        root=root,
        migrations=root / table.get("migrations", "migrations"),
        templates=root / table.get("templates", "templates"),
        seed=root / table.get("seed", "seed"),
        config_file=file,
        verify_required=verify == "required",
        strict=strict,
        settings=settings,
        requires={
            "": tuple(table.get("requires", ())),
            **{n: tuple(s.get("requires", ())) for n, s in databases.items()},
        },
        embedded_bin=Path(embedded["bin"]) if "bin" in embedded else None,
        embedded_data=root / embedded["data"] if "data" in embedded else None,
        dump=Dump(dump.get("file"), tuple(dump.get("exclude_schemas", ())), dump.get("pg_dump")),
        fleets=table.get("fleet", {}),
        url_envs=_url_envs(file, {"": table, **databases}),
    )


def _url_envs(file: Path, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the names of environment variables; a URL in place of one is not repeated."""
    found = {name: table["url_env"] for name, table in tables.items() if "url_env" in table}
    for variable in found.values():
        if not (isinstance(variable, str) and re.fullmatch(r"[A-Za-z_]\w*", variable)):
            raise UsageError(
                "url_env is the name of an environment variable, and what stands there is none",
                Place(file),
                hint='url_env = "NOTES_DATABASE_URL", and the URL in that variable',
            )
    return found


def _refuse_unknown(file: Path, prefix: str, table: Mapping[str, Any], known: set[str]) -> None:
    for key in table:
        if key == "url" and "url_env" in known:
            raise UsageError(
                f"{prefix}url is not read: a URL has a password in it, and this file is in a "
                "repository",
                Place(file),
                hint=f"put the URL into the environment or .env, and its name here: "
                f'{prefix}url_env = "NOTES_DATABASE_URL"; take a password out of the history too',
            )
        if key not in known:
            near = nearest(key, known)
            raise UsageError(
                f"the setting {prefix}{key} is not known",
                Place(file),
                notes=[f"did you mean {prefix}{near}?"] if near else [],
                hint=f"known here: {', '.join(sorted(known))}",
            )


def database_names(project: Project) -> list[str]:
    """Return the names of the databases of a project: its folders, or the folder itself.

    Raises:
        UsageError: there is no folder of migrations.
    """
    return databases_in(project.migrations)


def migration_names(project: Project, name: str) -> list[str]:
    """Return the identifiers of a database's migrations by the names of its files, unread."""
    names = os.listdir(project.migrations / name)  # noqa: PTH208 - names are all that is wanted
    files = [file for file in names if is_migration(file) and not file.endswith(BACK)]
    numbered = {(version, stem_of(f)) for f in files if (version := Version.of(stem_of(f)))}
    return [stem for _, stem in sorted(numbered)]


def which_database(names: Sequence[str]) -> UsageError:
    """Return the error for a command about one database that does not say which."""
    return UsageError("which database?", hint=f"--database {names[0]} (or another one)")


def choose(
    project: Project, wanted: Sequence[str], given: Given, tell: Listener = silent
) -> list[Database]:
    """Return the databases a command is about, with their files read.

    Args:
        project: the configuration.
        wanted: names from the command line; none means all.
        given: what says where they are.
        tell: is told what was left out of a URL.

    Raises:
        UsageError: an unknown name, no URL, or a URL that names one database for several folders.
        FileError: a file that cannot be read as a migration.
    """
    names = database_names(project)
    for name in wanted:
        if name not in names:
            raise unknown_database(project, names, name)
    chosen = [name for name in names if not wanted or name in wanted]
    if not chosen:
        raise UsageError(
            "there is no migration yet",
            Place(project.migrations),
            hint="pgvouch new NAME writes the first one; its file's name begins with a number",
        )
    found = []
    notes: dict[str, None] = {}
    gathered = Gathered()
    for name in chosen:
        located = _located(project, name, given, notes, alone=len(chosen) == 1)
        with gathered.gather():
            files = read_files(project, name)
            found.append(replace(files, name=located.name, url=located.url, source=located.source))
    gathered.refuse()
    for note in notes:
        tell(Note(note))
    return found


def read_files(project: Project, name: str) -> Database:
    """Return the files of a database; where it is, is not asked.

    Raises:
        UsageError: a platform set that is not there.
        FileError: a file that cannot be read as a migration.
    """
    migrations = read_database(project, name)
    folder = project.migrations / name
    repeatables = read_repeatables(folder, _actors_of(migrations))
    return Database(name or project.root.name, folder, "", migrations, repeatables)


def _located(
    project: Project, name: str, given: Given, notes: dict[str, None], *, alone: bool
) -> Database:
    """Return a database without its files."""
    names = project.url_envs
    given = replace(given, url_env=names.get(""), url_envs={n: v for n, v in names.items() if n})
    target = find_target(name, given, alone=alone)
    notes.update({target.note: None} if target.note else {})
    shown = name or _name_in(target.url) or project.root.name
    return Database(shown, project.migrations / name, target.url, (), source=target.source)


def _actors_of(migrations: Sequence[Migration]) -> Actors:
    return next((m.actors for m in reversed(migrations) if not m.set_name), Actors())


def without_files(project: Project, name: str, given: Given, tell: Listener = silent) -> Database:
    """Return a database whose files are still to be written.

    Args:
        project: the configuration.
        name: its folder in that of the migrations; empty for that folder itself.
        given: what says where it is.
        tell: is told what was left out of a URL.

    Raises:
        UsageError: no URL.
    """
    notes: dict[str, None] = {}
    database = _located(project, name, given, notes, alone=True)
    for note in notes:
        tell(Note(note))
    return database


def unknown_database(project: Project, names: Sequence[str], wanted: str) -> UsageError:
    """Return the error for a name that none of a project's databases has."""
    from pgvouch.address.conninfo import looks_like_one

    if looks_like_one(wanted):
        return UsageError(
            "a URL stands where the name of a folder belongs", hint="give it with --url"
        )
    hint = f"the databases here: {', '.join(names) or 'none'}"
    if wanted[:1].isdigit():
        hint = (
            f"if it is a migration: migrate and rollback take --to {wanted}; "
            f"pgvouch explain {wanted} shows it"
        )
    elif names == [""]:
        hint = "the files in that folder are one database: leave the name out"
    return UsageError(f"there is no database {wanted} in {project.migrations.name}/", hint=hint)


def _name_in(url: str) -> str:
    """Return the database that a URL names; a project with one folder is called after it."""
    if url.startswith(EMBEDDED):
        return url.removeprefix(EMBEDDED)
    from pgvouch.address.conninfo import parts_of

    return parts_of(url).get("dbname", "")


def read_database(project: Project, name: str) -> tuple[Migration, ...]:
    """Read the migrations of a database with the platform sets that it requires.

    Raises:
        UsageError: a platform set that is not there.
        FileError: a file that cannot be read as a migration.
    """
    found: list[Migration] = []
    actors = Actors()
    gathered = Gathered()
    for platform in project.requires.get(name, ()):
        base = project.migrations if name else project.migrations.parent
        folder = base / platform
        if not folder.is_dir():
            raise UsageError(
                f"the platform set {platform} is required and not there",
                Place(folder),
                hint="put its folder there, beside the one with your files; pgvouch's own sets are "
                "in migrations/ of its repository",
            )
        with gathered.gather():
            actors = read_actors(folder / ACTORS, actors)
            found += read_folder(folder, platform, actors)
    with gathered.gather():
        actors = read_actors(project.migrations / name / ACTORS, actors)
        found += read_folder(project.migrations / name, actors=actors)
    gathered.refuse()
    return tuple(found)
