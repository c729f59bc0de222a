"""Runs yoyo's Python migrations: their steps, on our connection and in our transaction."""

import traceback
from pathlib import Path

import psycopg

from pgvouch.engine.task import Task
from pgvouch.errors import MigrationError, Place
from pgvouch.ledger.yoyo import VouchBackend, noticing_loss
from pgvouch.postgres.result import said_by
from pgvouch.postgres.session import ConnectionLost


def run_steps(task: Task, backend: VouchBackend) -> None:
    """Run the steps of a `.py` migration.

    Args:
        task: of a Python migration.
        backend: on the connection, in the open transaction where there is one.

    Raises:
        MigrationError: a step failed, or the file cannot be imported.
    """
    from yoyo.exceptions import BadMigration
    from yoyo.migrations import Migration as YoyoMigration

    migration = task.migration
    assert migration is not None
    folder = str(migration.path.parent)
    # yoyo looks dependencies up among the objects it has made; their order is settled already.
    for name in migration.directives.depends:
        YoyoMigration(name, str(migration.path.with_name(f"{name}.sql")), folder)
    loaded = YoyoMigration(migration.path.stem, str(migration.path), folder)
    try:
        with noticing_loss(backend.connection):
            loaded.process_steps(backend, "rollback" if task.is_rollback else "apply")
    except BadMigration as exc:
        raise MigrationError(
            f"{migration.id} cannot be imported: {exc}", Place(migration.path)
        ) from exc
    except ConnectionLost:
        raise
    except Exception as exc:
        server = said_by(exc) if isinstance(exc, psycopg.Error) else None
        said = server.primary if server else f"{type(exc).__name__}: {exc}"
        place = _place(exc, migration.path)
        raise MigrationError(f"{migration.id} failed: {said}", place, server=server) from exc


def _place(exc: BaseException, path: Path) -> Place:
    lines = [f.lineno for f in traceback.extract_tb(exc.__traceback__) if f.filename == str(path)]
    return Place(path, lines[-1] if lines else None)
