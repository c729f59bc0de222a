"""Runs yoyo's Python migrations: their steps, on our connection and in our transaction."""

import contextlib
import sys
import traceback
from pathlib import Path

import psycopg

from pgvouch.errors import MigrationError, Place
from pgvouch.files.migration import Migration
from pgvouch.ledger.yoyo import VouchBackend, noticing_loss
from pgvouch.postgres.result import said_by
from pgvouch.postgres.session import ConnectionLost


def run_steps(migration: Migration, backend: VouchBackend, direction: str) -> None:
    """Run the steps of a `.py` migration.

    Args:
        migration: the migration.
        backend: inside the open transaction.
        direction: `apply` or `rollback`.

    Raises:
        MigrationError: a step failed, or the file cannot be imported.
    """
    from yoyo.exceptions import BadMigration
    from yoyo.migrations import Migration as YoyoMigration

    folder = str(migration.path.parent)
    # yoyo looks dependencies up among the objects it has made; their order is settled already.
    for name in migration.directives.depends:
        YoyoMigration(name, str(migration.path.with_name(f"{name}.sql")), folder)
    loaded = YoyoMigration(migration.path.stem, str(migration.path), folder)
    try:
        # A step that selects is printed by yoyo; our stdout is for data.
        with contextlib.redirect_stdout(sys.stderr), noticing_loss(backend.connection):
            loaded.process_steps(backend, direction)
    except BadMigration as exc:
        raise MigrationError(
            f"{migration.id} cannot be imported: {exc}", Place(migration.path)
        ) from exc
    except ConnectionLost:
        raise
    except psycopg.Error as exc:
        raise MigrationError(
            f"{migration.id} failed: {exc.diag.message_primary or exc}",
            _place(exc, migration.path),
            server=said_by(exc),
        ) from exc
    except Exception as exc:
        raise MigrationError(
            f"{migration.id} failed: {type(exc).__name__}: {exc}", _place(exc, migration.path)
        ) from exc


def _place(exc: BaseException, path: Path) -> Place:
    lines = [f.lineno for f in traceback.extract_tb(exc.__traceback__) if f.filename == str(path)]
    return Place(path, lines[-1] if lines else None)
