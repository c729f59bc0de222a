"""Writes .delta files from a scratch database."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pgvouch import __version__
from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.errors import FileError, Place, VouchError
from pgvouch.events import Finished, Listener, silent
from pgvouch.files.migration import Migration, checksum
from pgvouch.plan import build
from pgvouch.postgres.session import Session

if TYPE_CHECKING:
    from pgvouch.engine.task import Task


@dataclass(frozen=True, slots=True)
class Written:
    """A .delta file, and whether it changed."""

    path: Path
    changed: bool
    lines: int


def accept_deltas(
    database: Database, url: str, wanted: str | None, options: Options, listener: Listener
) -> list[Written]:
    """Write the .delta files from a scratch database on the same server.

    Args:
        database: the files.
        url: where the server is; its own database is not touched.
        wanted: one migration; None means all.
        options: how to run them.
        listener: told what runs.

    Returns:
        The files, with what became of them.

    Raises:
        VouchError: a migration fails on the scratch database.
    """
    from pgvouch.delta.file import render_file
    from pgvouch.engine.context import Deltas, RunContext
    from pgvouch.engine.run import run
    from pgvouch.engine.task import prepare

    ordered = build.in_order(database.migrations)
    chosen = ordered if wanted is None else [build.find(ordered, wanted)]
    ahead = ordered[: ordered.index(chosen[0])]
    tasks = prepare([*ahead, *chosen], options.variables, require_promises=False)
    earlier, asked = tasks[: len(ahead)], tasks[len(ahead) :]
    try:
        with _database(database, url, earlier, options) as session:
            context = RunContext(session, options, listener, Deltas.RECORDED)
            done = {event.id: event for event in run(context, asked)}
    except VouchError as exc:
        exc.state = "It failed in a scratch database, which is gone. No file was written."
        raise
    found = [(m, event) for m in chosen if (event := done.get(m.id)) and event.delta is not None]
    for migration, _ in found:
        if migration.id in context.with_values:
            raise FileError(
                "cannot have a delta: the value of a variable would stand in it, for everybody "
                "to read",
                Place(migration.path),
                hint=f"check what it does in verify/{migration.stem}.sql; pgvouch "
                "accept-delta ID writes those of other migrations",
            )
    if wanted is not None and not found:
        raise FileError(
            f"{wanted} makes no catalog delta: it is provided on this server",
            Place(chosen[0].path),
        )
    return [_write(m, render_file(event.delta or ()), event) for m, event in found]


def _database(
    database: Database, url: str, earlier: Sequence["Task"], options: Options
) -> AbstractContextManager[Session]:
    """Return a scratch database with the earlier migrations, whose checks are not run."""
    from pgvouch.engine.context import RunContext
    from pgvouch.engine.run import run
    from pgvouch.ledger.ledger import ensure
    from pgvouch.operations.scratch import scratch, scratch_after

    def apply(session: Session) -> None:
        ensure(session)
        bare = [replace(task, promises=None, expected_delta=None) for task in earlier]
        run(RunContext(session, options, silent), bare)

    if not earlier:
        return scratch(url, apply)
    texts = [f"{task.id} {checksum(task.source.rendered.text)}" for task in earlier]
    return scratch_after(url, database.name, [__version__, *texts], apply)


def _write(migration: Migration, text: str, event: Finished) -> Written:
    path = migration.path.parent / "verify" / f"{migration.stem}.delta"
    lines = len(event.delta or ())
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return Written(path, changed=False, lines=lines)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return Written(path, changed=True, lines=lines)
