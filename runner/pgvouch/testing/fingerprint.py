"""What a template depends on, as a name: another text of any file is another template."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from pgvouch import __version__
from pgvouch.config.project import Database, Project
from pgvouch.errors import Place, UsageError
from pgvouch.files.variables import given_variables
from pgvouch.testing.settings import DatabaseSettings


def fingerprint(project: Project, database: Database, settings: DatabaseSettings) -> str:
    """Return a digest of everything that a migrated database is made of.

    Args:
        project: the configuration.
        database: its files.
        settings: the variables, and the seed.

    Raises:
        UsageError: there is no seed.
    """
    files = (*database.migrations, *database.repeatables)
    values = given_variables(settings.variables)
    declared = {name for migration in files for name in migration.directives.variables}
    said = [__version__, str(project.verify_required)]
    said += [f"{name}={values.get(name)}" for name in sorted(declared)]
    seed = seed_of(project, database, settings)
    return _digest(
        [
            *map(str.encode, said),
            *_contents({database.folder, *(migration.folder for migration in files)}),
            *([seed.read_bytes()] if seed else []),
        ]
    )


def seed_of(project: Project, database: Database, settings: DatabaseSettings) -> Path | None:
    """Return the file of development data that settings ask for.

    Raises:
        UsageError: it is not there.
    """
    if not settings.seed:
        return None
    name = f"{database.name}.sql" if settings.seed is True else settings.seed
    path = project.seed / name
    if not path.is_file():
        raise UsageError("there is no such seed", Place(path))
    return path


def _contents(folders: Iterable[Path]) -> Iterator[bytes]:
    """Yield the files of migrations, their checks and rollbacks: the ledger keeps those too."""
    for folder in sorted(folders):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and not any(part[0] in "._" for part in inside.parts):
                yield str(inside).encode()
                yield path.read_bytes()


def short(*parts: str) -> str:
    """Return eight hexadecimal digits for a few texts."""
    return _digest(part.encode() for part in parts)[:8]


def _digest(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.hexdigest()[:16]
