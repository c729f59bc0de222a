"""Turns what PostgreSQL or a check said into the error a person reads."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pgvouch import sqltext
from pgvouch.blockers import Blocker, look_at
from pgvouch.db import QueryError, Session
from pgvouch.errors import (
    CheckError,
    MigrationError,
    Place,
    ServerMessage,
    StandbyError,
    VouchError,
)
from pgvouch.message import ENDED, Message
from pgvouch.promises import Kind
from pgvouch.verify import Broken, Rows, lines_of

READ_ONLY = "PGVRO"
"""Raised by refuse_read_only.sql."""

_HINTS = {
    "25001": "put `-- transactional: false` into the header, and the statement outside of any DO "
    "block: it cannot run in a transaction",
    "25006": "the migration has made its transaction read-only: take that out",
    "55P04": "a new enum value can be used once its migration has been committed: in the next one; "
    "a check can look for it in pg_enum",
    "55P03": "something holds it; the same command tries again, and --lock-timeout waits longer",
    "57014": "a timeout, or somebody cancelled it; `-- statement_timeout: 10min` in the header "
    "allows more",
    "42501": "connect as the role that owns the objects",
    "0A000": "write the rows as INSERT … VALUES: a migration is SQL alone",
}


def migration_error(
    identifier: str, message: Message, exc: QueryError, *, verb: str
) -> MigrationError:
    """Return the error for a statement that PostgreSQL refused.

    Args:
        identifier: the migration.
        message: what was sent.
        exc: what came back.
        verb: `migrate` or `rollback`.
    """
    where = message.locate(exc)
    server = _without_the_rest(exc.server)
    if exc.server.sqlstate == ENDED:
        return ended_its_transaction(identifier, where.place)
    hint = None if server.hint else _HINTS.get(server.sqlstate or "")
    if server.sqlstate == "42601" and 'near ":"' in server.primary:
        hint = "a psql variable is filled in when the header declares it: -- var: name"
    elif server.sqlstate == "42601" and _ends_in_a_quote(where.part.sql):
        hint = (
            "a quote or comment that is opened there is never closed: close it, and run the same "
            "command again"
        )
    what = "failed" if verb == "migrate" else "could not be rolled back"
    return MigrationError(
        f"{identifier} {what}: {server.primary}",
        where.place,
        where.statement,
        server,
        hint=hint,
    )


def _without_the_rest(server: ServerMessage) -> ServerMessage:
    """Cut a syntax error to a line: of an open quote the server repeats all that is behind it."""
    first, newline, _ = server.primary.partition("\n")
    if server.sqlstate != "42601" or not newline:
        return server
    return replace(server, primary=f"{first.rstrip()} …")


def _ends_in_a_quote(text: str) -> bool:
    return any(kind == "open" for kind, _, _ in sqltext.marks(text))


def blame(error: MigrationError, blockers: Sequence[Blocker]) -> None:
    """Add to an error who was in the way, and the command to look at them."""
    if not blockers or (error.server and error.server.sqlstate) != "55P03":
        return
    error.notes += [f"in the way: {blocker}" for blocker in blockers]
    error.hint = (
        f"look at it: {look_at(blockers)}; the same command tries again, and a longer "
        "--lock-timeout or more --retries wait longer"
    )


def cannot_begin(session: Session, exc: QueryError) -> VouchError:
    """Return the error for a server on which no writing transaction can begin."""
    session.roll_back()
    if exc.server.sqlstate == READ_ONLY:
        return MigrationError(
            "somebody has switched writing off here: default_transaction_read_only is on, for the "
            "database, the role or the server",
            state="Nothing was run.",
            hint="ask who has done it, and why; to write all the same: "
            "PGOPTIONS='-c default_transaction_read_only=off' and the same command",
        )
    (result,) = session.ask("select pg_is_in_recovery()")
    if result.rows[0][0] == "t":
        return StandbyError(
            "the server is a read-only standby",
            server=exc.server,
            state="Nothing was run.",
            hint="connect to the primary; with several hosts in the URL, "
            "?target_session_attrs=read-write finds it",
        )
    return MigrationError(
        f"no transaction can begin: {exc.server.primary}",
        server=exc.server,
        state="Nothing was run.",
    )


def ended_its_transaction(identifier: str, place: Place | None) -> MigrationError:
    """Return the error for a file that committed or rolled back by itself."""
    return MigrationError(
        f"{identifier} ended its own transaction, so its checks and its ledger row could not be "
        "in it",
        place,
        notes=["what it committed by itself is in the database, and the ledger does not know it"],
        hint="take the COMMIT or ROLLBACK out of it, and undo by hand what it left",
    )


def check_error(identifier: str, broken: Sequence[Broken]) -> CheckError:
    """Return the error for promises that were not kept; the first one leads."""
    first = broken[0]
    # What the server said has a line of its own.
    found = f"an error {first.server.sqlstate}" if first.server else first.found
    notes = [f"expected {first.expected}", *labelled("found", found)]
    for other in broken[1:]:
        notes.append(f"also broken: {other.check.sentence} ({other.check.place})")
        told = [f"expected {other.expected}", *labelled("found", other.found)]
        notes += [f"  {line}" for line in told]
    return CheckError(
        f"{identifier} does not keep its promise: {first.check.sentence}",
        first.place,
        first.statement,
        first.server,
        notes=notes,
        hint=_next_after(first) + more_of(item.found for item in broken),
    )


def more_of(found: Iterable[str | Rows]) -> str:
    """Return how to see all of what checks have found, where not all is shown."""
    hides = any(isinstance(rows, Rows) and rows.more for rows in found)
    return "; --verbose shows more of what was found" if hides else ""


def labelled(label: str, found: str | Rows) -> list[str]:
    """Return what a check has found as lines, the first of them with a label."""
    return [f"{'' if number else label:<8} {line}" for number, line in enumerate(lines_of(found))]


def unjudged_error(identifier: str, stopped: Broken) -> MigrationError:
    """Return the error for a check that ended without an answer: no promise is broken by that."""
    assert stopped.server is not None
    return MigrationError(
        f"the checks of {identifier} could not be judged: {stopped.server.primary}",
        stopped.place,
        stopped.statement,
        stopped.server,
        notes=[f"the check: {stopped.check.sentence}"],
        hint=_HINTS.get(stopped.server.sqlstate or ""),
    )


def _next_after(broken: Broken) -> str:
    if broken.server and broken.server.sqlstate == "55P04":
        return _HINTS["55P04"]
    if broken.check.kind is Kind.SAME:
        return (
            "if others write to what it compares, run it again; `-- lock_tables:` in the header of "
            "the file keeps them out. Where nobody does, correct the file (or the check)"
        )
    return "correct the migration (or the check), and run it again"


def delta_error(
    identifier: str, path: Path, missing: Sequence[str], unexpected: Sequence[str]
) -> CheckError:
    """Return the error for a migration that did something else to the catalog than it promised."""
    notes = [f"did not happen:  {line}" for line in missing]
    notes += [f"was not promised:  {line}" for line in unexpected]
    return CheckError(
        f"{identifier} changed the catalog in another way than its delta promises",
        Place(path),
        notes=notes,
        hint=f"correct the migration; or, if this is what it should do, "
        f"pgvouch accept-delta {identifier} and review the file",
    )
