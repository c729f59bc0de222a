"""Reads every file as `migrate` and `rollback` would, and asks no server."""

from dataclasses import dataclass

from pgvouch.config.project import Database
from pgvouch.engine.task import prepare
from pgvouch.errors import FileError, Gathered
from pgvouch.files.migration import Migration
from pgvouch.files.promises import read_always, read_promises


@dataclass(frozen=True, slots=True)
class Linted:
    """The files of a database, all of which can be read."""

    name: str
    """Of the database."""
    migrations: int
    checks: int
    warnings: tuple[FileError, ...]
    """What is allowed and hardly meant."""


def lint(database: Database, *, require_promises: bool, strict: bool) -> Linted:
    """Read every migration, rollback, promise, delta and repeatable migration.

    Args:
        database: its files.
        require_promises: whether a migration without promises is refused.
        strict: whether warnings are errors.

    Raises:
        FileError: a file that `migrate` or `rollback` would refuse; RefusedError lists several.
    """
    gathered = Gathered()
    everything = (*database.migrations, *database.repeatables)
    checks = 0
    warnings: tuple[FileError, ...] = ()
    with gathered.gather():
        tasks = prepare(
            everything,
            # A value is not known here, and changes nothing of what a file may hold.
            {name: "" for migration in everything for name in _declared(migration)},
            require_promises=require_promises,
            strict=strict,
            of=database,
        )
        checks = sum(len(task.promises.checks) for task in tasks if task.promises)
        warnings = tuple(warning for task in tasks for warning in task.warnings)
    for migration in everything:
        with gathered.gather():
            read_promises(migration.rollback_verify_path, migration.actors)
    with gathered.gather():
        read_always(database.always)
    gathered.refuse()
    return Linted(database.name, len(everything), checks, warnings)


def _declared(migration: Migration) -> tuple[str, ...]:
    try:
        return migration.directives.variables
    except FileError:  # told by what reads the whole file
        return ()
