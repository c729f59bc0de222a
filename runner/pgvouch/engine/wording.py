"""Turns what PostgreSQL or a check said into the error a person reads."""

from collections.abc import Sequence
from dataclasses import replace

from pgvouch.engine.task import Task
from pgvouch.errors import MigrationError, ServerMessage
from pgvouch.postgres.advice import HINTS, NEW_ENUM_VALUE, value_added_here
from pgvouch.postgres.blockers import Blocker, look_at
from pgvouch.postgres.message import Message
from pgvouch.postgres.session import QueryError
from pgvouch.sqltext.scan import marks

ENDED = "ended"
"""The word with which the ledger's statement fails in another transaction than that of the task."""


def migration_error(
    task: Task, message: Message, exc: QueryError, blockers: Sequence[Blocker]
) -> MigrationError:
    """Return the error for a statement that PostgreSQL refused.

    Args:
        task: the migration or rollback.
        message: what was sent.
        exc: what came back.
        blockers: who was in the way.
    """
    where = message.locate(exc)
    server = _without_the_rest(exc.server)
    if exc.word == ENDED:
        return ended_its_transaction(task)
    hint = None if server.hint else HINTS.get(server.sqlstate or "")
    if server.sqlstate == NEW_ENUM_VALUE:
        hint = value_added_here(server, where.part.source)
    elif server.sqlstate == "42601" and 'near ":"' in server.primary:
        hint = "a psql variable is filled in when the header declares it: -- var: name"
    elif server.sqlstate == "42601" and _ends_in_a_quote(where.part.sql):
        hint = (
            "a quote or comment that is opened there is never closed: close it, and run the same "
            "command again"
        )
    what = "could not be rolled back" if task.is_rollback else "failed"
    error = MigrationError(
        f"{task.id} {what}: {server.primary}",
        where.place or task.source.place(0),
        where.statement,
        server,
        hint=hint,
    )
    return name_blockers(error, blockers)


def _without_the_rest(server: ServerMessage) -> ServerMessage:
    """Cut a syntax error to a line: of an open quote the server repeats all that is behind it."""
    first, newline, _ = server.primary.partition("\n")
    if server.sqlstate != "42601" or not newline:
        return server
    return replace(server, primary=f"{first.rstrip()} …")


def _ends_in_a_quote(text: str) -> bool:
    return any(kind == "open" for kind, _, _ in marks(text))


def name_blockers(error: MigrationError, blockers: Sequence[Blocker]) -> MigrationError:
    """Add to a lock timeout who was in the way, and the command to look at them."""
    if blockers and error.server and error.server.sqlstate == "55P03":
        error.hint = (
            f"look at it: {look_at(blockers)}; the same command tries again, and a longer "
            "--lock-timeout or more --retries wait longer"
        )
        error.explain(*(f"in the way: {blocker}" for blocker in blockers))
    return error


def unwatched(task: Task) -> MigrationError:
    """Return the error for a rollback that has closed the cursor by which its losses are found."""
    return MigrationError(
        f"{task.what} closes all cursors, so what it would lose cannot be found out",
        task.source.place(0),
        hint="take CLOSE ALL out of the file (every migration has a clean session); then the same "
        "command with --from-files",
    )


def ended_its_transaction(task: Task) -> MigrationError:
    """Return the error for a file that committed or rolled back by itself."""
    return MigrationError(
        f"{task.id} ended its own transaction, so its checks and its ledger row could not be in it",
        task.source.place(0),
        notes=["what it committed by itself is in the database, and the ledger does not know it"],
        hint="take the COMMIT or ROLLBACK out of it, and undo by hand what it left",
    )
