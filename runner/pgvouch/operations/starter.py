"""Begins a project: the configuration, a first migration that works as it stands, a check in CI."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pgvouch.address.where import EMBEDDED
from pgvouch.config.project import Project
from pgvouch.errors import Place, UsageError
from pgvouch.files.strays import databases_in

_FIRST = "001_create_notes"
_MIGRATION = """\
-- Notes: a table to begin with. Change it, or put your own in its place.
create table public.notes (
  id bigint generated always as identity primary key,
  body text not null,
  created_at timestamptz not null default now(),
  constraint notes_body_says_something check (body <> '')
);

-- Closed to every role but the owner of the table, until a policy opens it.
alter table public.notes enable row level security;
"""
_ROLLBACK = """\
-- Takes 001_create_notes back; where there are notes, only with --discard-data.
drop table public.notes;
"""
_CHECKS = """\
-- What 001_create_notes promises. It is checked inside the migration's own transaction, and what a
-- check writes is rolled back.

-- check: a note gets a number and the time at which it is written
insert into public.notes (body) values ('buy milk')
returning id is not null and created_at = now();

-- check error 23514: an empty note is refused
insert into public.notes (body) values ('');

-- check: row security is on
select relrowsecurity from pg_catalog.pg_class where oid = 'public.notes'::pg_catalog.regclass;
"""
_CONFIGURATION = """\
# The settings of pgvouch, with their defaults where they are commented out.
migrations = {migrations}
verify = "required"         # a migration without promises is refused
# lock_timeout = "2s"       # the wait for a table; otherwise half of deadlock_timeout
# statement_timeout = "1h"  # otherwise what the role has
# url_env = "NOTES_URL"     # names the variable that has the URL; otherwise DATABASE_URL
"""
_WORKFLOW = """\
# Every migration runs on an empty database, goes back and runs again; each keeps its promises.
name: migrations
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  migrations:
    runs-on: ubuntu-latest
    env:
      # PostgreSQL 18 comes with pgvouch[embedded]. For the version that you have in production add
      # a service container, and name it here: postgresql://postgres:postgres@localhost/notes
      DATABASE_URL: "embedded:"{working_directory}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
      - run: pip install 'pgvouch[embedded]'
      - run: pgvouch stamp --check --format github
      - run: pgvouch migrate --rehearse --format github
      - run: pgvouch migrate --format github
      - run: pgvouch verify --format github
"""
_IN_A_FOLDER = """
    defaults:
      run:
        working-directory: {folder}"""
_IGNORED = (".env", ".pgvouch/")


@dataclass(frozen=True, slots=True)
class Started:
    """The files of a new project."""

    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    """What was there already, and is as it was."""
    names_server: bool
    """Whether it is known where the database is."""


def start_project(
    project: Project,
    name: str,
    environment: Mapping[str, str],
    *,
    ci: bool,
    has_server: bool,
) -> Started:
    """Write the files of a new project; what is there stays as it is.

    Args:
        project: the configuration that holds here, or the defaults.
        name: the folder of the database in that of the migrations; empty for that folder itself.
        environment: says whether a database is named already.
        ci: write a workflow for GitHub.
        has_server: whether the embedded server is installed.

    Raises:
        UsageError: there are migrations already.
        OSError: a file cannot be written. Whatever is raised, nothing was written.
    """
    here = Path.cwd()
    folder = project.migrations / name
    refuse_mixture(project.migrations, name)
    if there := min(folder.glob("*.sql"), key=_by_name, default=None):
        raise UsageError(
            f"there are migrations already, such as {there.name}",
            Place(folder),
            state="Nothing was written.",
            hint="pgvouch new NAME writes the next one",
        )
    files = {
        folder / f"{_FIRST}.sql": _MIGRATION,
        folder / f"{_FIRST}.rollback.sql": _ROLLBACK,
        folder / "verify" / f"{_FIRST}.sql": _CHECKS,
    }
    if project.config_file is None or project.config_file.parent != here:
        shown = Path(os.path.relpath(project.migrations, here)).as_posix()
        files[here / "pgvouch.toml"] = _CONFIGURATION.format(migrations=_quoted(shown))
    if ci:
        path, text = _workflow(here)
        files[path] = text
    names_server = any(key.startswith("DATABASE_URL") for key in environment)
    dotenv = here / ".env"
    if has_server and not names_server:
        files[dotenv] = f"# Read by pgvouch; the environment wins.\nDATABASE_URL={EMBEDDED}\n"
        names_server = not os.path.lexists(dotenv)
    kept = tuple(path for path in files if os.path.lexists(path))
    written = tuple(path for path in files if path not in kept)
    write_new({path: files[path].encode() for path in written})
    return Started((*written, *_ignore(here / ".gitignore")), kept, names_server)


def refuse_mixture(migrations: Path, name: str) -> None:
    """Refuse to begin where a folder would hold migrations and folders of databases.

    Args:
        migrations: the project's folder of migrations; it may be missing.
        name: the database's folder in it; empty for that folder itself.

    Raises:
        UsageError: it has folders of databases and `name` is empty, or the other way round.
    """
    databases = databases_in(migrations) if migrations.is_dir() else []
    shown, nothing = f"{migrations.name}/", "Nothing was written."
    if not name and databases and databases != [""]:
        raise UsageError(
            f"{shown} has a folder for each database already: {', '.join(databases)}",
            Place(migrations),
            state=nothing,
            hint="pgvouch new NAME --database DB writes the next migration of one of them; pgvouch "
            "init --database DB begins another",
        )
    if name and databases == [""]:
        raise UsageError(
            f"{shown} holds the migrations of one database, and none of them would be in {name}/",
            Place(migrations),
            state=nothing,
            hint="move them into a folder named after their database first; or begin in another "
            "folder: --migrations DIR",
        )


def _by_name(path: Path) -> tuple[str, int]:
    """Put a migration ahead of its rollback."""
    return path.name.partition(".")[0], len(path.name)


def write_new(files: Mapping[Path, bytes]) -> None:
    """Write files that are not there, all of them or none.

    Raises:
        OSError: one cannot be written.
    """
    written: list[Path] = []
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                written.append(path)
                file.write(content)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _workflow(here: Path) -> tuple[Path, str]:
    """Return the workflow, which GitHub looks for at the top of a repository."""
    top = next((p for p in (here, *here.parents) if (p / ".git").exists()), here)
    below = here.relative_to(top).as_posix()
    text = _IN_A_FOLDER.format(folder=_quoted(below)) if below != "." else ""
    path = top / ".github" / "workflows" / "migrations.yml"
    return path, _WORKFLOW.format(working_directory=text)


def _quoted(text: str) -> str:
    """Return a text as TOML and YAML both read it."""
    return json.dumps(text, ensure_ascii=False)


def _ignore(path: Path) -> Iterator[Path]:
    """Leave the server's data, and what may hold a password, out of git."""
    there = path.read_bytes() if path.exists() else b""
    missing = [line for line in _IGNORED if line.encode() not in there.splitlines()]
    if missing:
        end = "" if not there or there.endswith(b"\n") else "\n"
        with path.open("a", encoding="utf-8") as file:
            file.write(end + "".join(f"{line}\n" for line in missing))
        yield path
