"""The commands that look and change nothing: status and verify."""

from collections.abc import Sequence
from dataclasses import dataclass

from pgvouch import plan
from pgvouch.config import Database
from pgvouch.db import QueryError, Session
from pgvouch.errors import MigrationError, Place
from pgvouch.migration import Migration
from pgvouch.plan import Applied, State


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `status`."""

    id: str
    state: str
    """applied, provided, incomplete, undoing, pending, changed, missing or ahead."""
    applied: Applied | None
    migration: Migration | None


def status(database: Database, rows: Sequence[Applied]) -> list[Row]:
    """Return a row for every migration of the files and of the ledger, in order."""
    changed = {finding.id: finding for finding in plan.drift(database.migrations, rows)}
    ahead = set(plan.ahead_of_files(database.migrations, rows))
    by_id = database.by_id
    found = []
    for row in rows:
        state = row.state.value
        if row.id in changed:
            state = "changed" if changed[row.id].found else "missing"
        elif row.id in ahead and row.state not in {State.INCOMPLETE, State.UNDOING}:
            state = "ahead"
        found.append(Row(row.id, state, row, by_id.get(row.id)))
    known = {row.id for row in rows}
    ordered = plan.in_order(database.migrations)
    found += [Row(m.id, "pending", None, m) for m in ordered if m.id not in known]
    return found


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of the promises of one applied migration."""

    id: str
    passed: int
    broken: tuple["Finding", ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that does not hold any more."""

    sentence: str
    place: Place
    expected: str
    found: str


def verify_database(
    session: Session, database: Database, rows: Sequence[Applied]
) -> list[Verified]:
    """Run every promise of every applied migration again, and leave nothing behind.

    Raises:
        FileError: a file that is not a verify file.
    """
    from pgvouch.prepare import given_variables

    in_force = frozenset(name for row in rows for name in (row.id, row.id.rpartition("/")[2]))
    by_id = database.by_id
    found = []
    values = given_variables({})
    for row in rows:
        migration = by_id.get(row.id)
        if migration is not None:
            session.mask.add(values.get(name, "") for name in migration.directives.variables)
        if migration is None or migration.verify_path is None or row.state is not State.APPLIED:
            continue
        found.append(_verify_one(session, migration, in_force))
    return found


def _verify_one(session: Session, migration: Migration, applied: frozenset[str]) -> Verified:
    from pgvouch import verify
    from pgvouch.message import RESET_SESSION, Message
    from pgvouch.prepare import read_promises
    from pgvouch.promises import Kind

    promises = read_promises(migration.verify_path)
    assert promises is not None
    promises = promises.in_force(applied)
    # A `same` pair compares with the moment before the migration, which is long gone.
    kept = tuple(check for check in promises.checks if check.kind is not Kind.SAME)
    from dataclasses import replace

    message = Message().add("begin isolation level read committed read write", *RESET_SESSION)
    try:
        _, verdict = verify.run(session, message, replace(promises, checks=kept))
    except QueryError as exc:
        if not exc.done:
            from pgvouch.failure import cannot_begin

            raise cannot_begin(session, exc) from None
        raise MigrationError(
            f"{migration.id} cannot be verified: {exc.server.primary}", server=exc.server
        ) from None
    finally:
        session.roll_back()
    findings = tuple(
        Finding(b.check.sentence, b.place, b.expected, b.found) for b in verdict.broken
    )
    return Verified(migration.id, verdict.passed, findings)
