"""One migration, explained: what it says of itself, what it promises, what became of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pgvouch.config.project import Database, Project, read_database
from pgvouch.delta.file import delta_of_applied, read_delta
from pgvouch.errors import NoDatabaseError, Place, VouchError
from pgvouch.files.directives import ISOLATION, Directives, parse_directives
from pgvouch.files.folder import read_rollback
from pgvouch.files.migration import Migration
from pgvouch.files.promises import Check, Kind, read_promises
from pgvouch.files.repeatable import PREFIX, read_repeatables
from pgvouch.ledger import ledger
from pgvouch.ledger.ledger import Stored
from pgvouch.ledger.repeatable import Run, read_runs
from pgvouch.ledger.rows import Applied, State
from pgvouch.operations.history import HistoryEntry, read_history
from pgvouch.plan.build import find
from pgvouch.plan.status import MigrationStatus, status
from pgvouch.postgres.session import Session
from pgvouch.sqltext.duration import seconds

NOT_ASKED = "not asked"
"""The state of a migration where no ledger could be read."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A check of a migration."""

    kind: str
    """`check`, `check none`, `check error` or `same`."""
    sentence: str
    actors: tuple[str, ...]
    """Who acts in it, in order; none: the role that migrates."""
    sqlstate: str | None
    """Of the error that is expected, with `check error`."""
    until: str | None
    """The later migration that retires it."""
    place: Place

    def __str__(self) -> str:
        """Return it as a sentence, with who acts and what is expected."""
        expected = {
            Kind.NONE.value: "none",
            Kind.ERROR.value: f"refused with {self.sqlstate}",
            Kind.SAME.value: "the same before and after",
        }.get(self.kind)
        who = f"as {', then '.join(self.actors)}" if self.actors else None
        ahead = ", ".join(filter(None, (who, expected)))
        until = f" (until {self.until})" if self.until else ""
        return f"{ahead}{': ' if ahead else ''}{self.sentence}{until}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one migration."""

    id: str
    path: Path | None
    """None: it has no file here, and is known from the ledger alone."""
    header: tuple[str, ...]
    """What its directives ask for, in words."""
    promises: tuple[Promise, ...]
    delta: tuple[str, ...] | None
    """What it did to the catalog by the ledger, or else what it is to do by its .delta file."""
    locks: tuple[str, ...]
    """The locks that it takes ahead of everything else, as `-- lock_tables:` says; which its
    statements take is not known beforehand."""
    rollback: str
    """`yes`, `no` or `irreversible`."""
    rollback_why: str
    state: str
    """As `status` says it, or `not asked`."""
    state_why: str | None
    """Why the ledger was not asked."""
    applied: Applied | None
    """Its row of the ledger."""
    history: tuple[HistoryEntry, ...]
    """What was done with it, the oldest first."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the ledger says."""

    rows: Sequence[Applied] = ()
    runs: Sequence[Run] = ()
    stored: dict[str, Stored] = field(default_factory=dict)
    history: Sequence[HistoryEntry] = ()


def explain(
    project: Project,
    folder: str,
    wanted: str,
    connected: Callable[[], AbstractContextManager[Session]],
) -> Explanation:
    """Explain a migration; a server that cannot be asked keeps nothing back but what it knows.

    Args:
        project: the configuration.
        folder: of the database, in that of the migrations.
        wanted: identifier, stem or number.
        connected: gives the session.

    Raises:
        PlanError: there is no such migration, or more than one.
        FileError: a file of it cannot be read.
    """
    migrations = read_database(project, folder)
    actors = next((m.actors for m in reversed(migrations) if not m.set_name), None)
    path = project.migrations / folder
    repeatables = read_repeatables(path, actors) if actors else ()
    database = Database(folder, path, "", migrations, repeatables)
    why: str | None = None
    asked = _Asked()
    try:
        with connected() as session:
            asked = _ask(session)
    except NoDatabaseError:
        pass
    except VouchError as exc:
        why = exc.message
    listed = status(database, asked.rows, asked.runs)
    named = find([row.applied or Applied(row.id, State.APPLIED) for row in listed], wanted)
    explained = _explained(next(row for row in listed if row.id == named.id), asked)
    return explained if why is None else replace(explained, state=NOT_ASKED, state_why=why)


def _ask(session: Session) -> _Asked:
    rows = ledger.read(session)
    if rows is None:
        return _Asked(ledger.read_yoyo(session), history=read_history(session))
    stored, _ = ledger.rollback_texts(session, [row.id for row in rows])
    return _Asked(rows, read_runs(session), stored, read_history(session))


def _explained(found: MigrationStatus, asked: _Asked) -> Explanation:
    migration, row = found.migration, found.applied
    asks = migration.directives if migration else Directives()
    back = _rollback_directives(migration)
    stored = asked.stored.get(found.id, Stored())
    is_ours = row is not None and row.state is not State.PROVIDED
    path = migration.delta_path if migration else None
    runs = [run for run in asked.runs if run.id == found.id]
    delta = delta_of_applied(stored.delta, path) if is_ours else read_delta(path)
    can, why = _rollback(migration, row, stored, asks)
    return Explanation(
        found.id,
        migration.path if migration else None,
        tuple(_header(asks, back, migration)),
        tuple(_promises(migration)),
        runs[-1].delta if runs else delta,
        asks.lock_tables,
        can,
        why,
        found.state,
        None,
        row,
        tuple(entry for entry in asked.history if entry.id == found.id),
    )


def _rollback_directives(migration: Migration | None) -> Directives:
    text = read_rollback(migration) if migration and not migration.is_python else None
    path = migration.rollback_path if migration else None
    return parse_directives(text, path) if text and path else Directives()


def _header(asks: Directives, back: Directives, migration: Migration | None) -> Iterator[str]:
    if migration is None:
        return
    if migration.is_python:
        yield "its steps are Python, which yoyo runs"
    elif asks.transactional:
        yield "all of it in one transaction, with its promises"
    else:
        yield "statement by statement, without a transaction around them: what is done stays"
    is_isolated = asks.transactional and asks.isolation != ISOLATION[0]
    names = ", ".join
    told = {
        "its transaction is {}": asks.isolation if is_isolated else None,
        "not run, and recorded as provided, where this holds: {}": asks.unless,
        "behind {}": names(asks.depends),
        "in the place of {}": "; or of ".join(map(names, asks.squashes)),
        "waits for a lock {}": _time(asks.lock_timeout, "for at most {}", "without end"),
        "a statement may take {}": _time(asks.statement_timeout, "{} at most", "any time"),
        "takes from --var or the environment: {}": names(asks.variables),
        "may write rows of {} beyond its delta": names(asks.writes),
        "promises nothing: {}": asks.unverified,
        "its rollback leaves {}": names(back.leaves),
    }
    yield from (said.format(" ".join(value.split())) for said, value in told.items() if value)


def _time(asked: str | None, limited: str, unlimited: str) -> str | None:
    return asked and (unlimited if seconds(asked) == 0 else limited.format(asked))


def _promises(migration: Migration | None) -> Iterator[Promise]:
    found = read_promises(migration.verify_path, migration.actors) if migration else None
    for check in found.checks if found else ():
        yield Promise(
            check.kind.value,
            check.sentence,
            _actors(check),
            check.sqlstate,
            check.until,
            check.place,
        )


def _actors(check: Check) -> tuple[str, ...]:
    names = (turn.actor.name for turn in check.turns if turn.actor)
    return tuple(dict.fromkeys(names))


def _rollback(
    migration: Migration | None, row: Applied | None, stored: Stored, asks: Directives
) -> tuple[str, str]:
    """Return whether it can be rolled back, and why so."""
    if why := stored.irreversible or asks.irreversible:
        return "irreversible", why
    found = None
    if row and row.state is State.PROVIDED:
        found = "nothing was run, so nothing is taken back but its row in the ledger"
    elif migration and migration.id.startswith(PREFIX):
        found = "with the migration ahead of it; what was in force before comes back"
    elif stored.sql is not None:
        found = "the ledger has stored it"
    elif migration and migration.is_python:
        found = "its steps say how"
    elif migration and migration.rollback_path:
        found = migration.rollback_path.name
    if found is None:
        return "no", "the ledger has none" if row else "there is no rollback file"
    return "yes", found
