"""Records migrations as applied where no ledger says so: the database is what they make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pgvouch.adopt.record import Entry, record
from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.delta.fold import Comparison, Deed, Fold
from pgvouch.delta.lines import catalog_of
from pgvouch.delta.snapshot import add_snapshot, read_snapshot
from pgvouch.engine.commands import create_ledger
from pgvouch.engine.context import Deltas, RunContext
from pgvouch.engine.run import run
from pgvouch.engine.task import Task, prepare
from pgvouch.errors import PlanError, VouchError
from pgvouch.events import Listener, silent
from pgvouch.files.migration import Migration
from pgvouch.ledger import ledger
from pgvouch.ledger.repeatable import ensure_table
from pgvouch.ledger.rows import Applied, State
from pgvouch.operations.scratch import scratch
from pgvouch.plan import build
from pgvouch.postgres.message import Message
from pgvouch.postgres.session import QueryError, Session


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the migrations make beside what is there."""

    compared: Comparison
    ids: tuple[str, ...]
    """The migrations in question."""
    provided: tuple[str, ...]
    """Those that the database has from its platform."""
    recorded: int = 0
    """How many were recorded; 0 where the two differ."""

    @property
    def is_same(self) -> bool:
        """Whether the database is what the migrations make."""
        return not (self.compared.differing or self.compared.unpromised)


def baseline(
    session: Session,
    database: Database,
    url: str,
    options: Options,
    listener: Listener,
    *,
    to: str | None = None,
    why: str | None = None,
    is_dry: bool = False,
    ahead_of_commit: Callable[[], None] = lambda: None,
) -> Baseline:
    """Record migrations as applied without running them, where the database is what they make.

    They are applied to a scratch database on the same server, and what they do to its catalog is
    compared with the live one.

    Args:
        session: on the live database, idle.
        database: the files.
        url: of the live database; the scratch database is made beside it.
        options: how migrations are run, and the values of variables.
        listener: told of waiting.
        to: the last of them; None means all.
        why: the reason for which a difference is accepted; it is kept.
        is_dry: record nothing.
        ahead_of_commit: called when everything is written and not yet committed.

    Raises:
        PlanError: the database has a ledger.
        VouchError: a migration fails on the scratch database.
    """
    _refuse_ledger(session)
    chosen = build.forward(database.migrations, (), to=to).pending
    tasks = prepare(chosen, options.variables, require_promises=False)
    # They are run by the next `migrate`; what they make may be there.
    repeated = database.repeatables if to is None else ()
    behind = prepare(repeated, options.variables, require_promises=False)
    deltas = _deltas(url, [*tasks, *behind], options)
    provided = frozenset(task.id for task in tasks if _is_provided(session, task))
    compared = _compared(session, deltas, provided)
    found = Baseline(compared, tuple(task.id for task in tasks), tuple(sorted(provided)))
    if is_dry or not (found.is_same or why):
        return found
    create_ledger(session, options, listener)
    entries = [_entry(task, is_provided=task.id in provided) for task in tasks]
    newest = tasks[-1].migration if tasks else None

    def finish() -> None:
        if not found.is_same and why and newest:
            _accept(session, newest, why)
        ahead_of_commit()

    recorded = record(session, lambda: entries, ahead_of_commit=finish)
    return replace(found, recorded=recorded)


def _refuse_ledger(session: Session) -> None:
    if rows := ledger.read(session):
        raise PlanError(
            f"the ledger has {len(rows)} migrations already",
            state="Nothing was recorded.",
            hint="pgvouch status shows them; pgvouch migrate applies what is pending",
        )
    if ledger.read_yoyo(session):
        raise PlanError(
            "stock yoyo has recorded migrations here",
            state="Nothing was recorded.",
            hint="pgvouch migrate takes its ledger over",
        )


def _deltas(url: str, tasks: Sequence[Task], options: Options) -> dict[str, tuple[str, ...]]:
    """Return what each migration does to the catalog of a scratch database."""
    bare = [replace(task, promises=None, expected_delta=None) for task in tasks]
    with scratch(url, lambda session: None) as session:
        ledger.ensure(session)
        ensure_table(session)
        try:
            done = run(RunContext(session, options, silent, Deltas.RECORDED), bare)
        except VouchError as exc:
            exc.state = "It failed in a scratch database, which is gone. Nothing was recorded."
            raise
    return {event.id: event.delta or () for event in done}


def _is_provided(session: Session, task: Task) -> bool:
    """Say whether the condition of an `unless` holds in the live database."""
    if not task.unless:
        return False
    try:
        results = session.run(
            f"begin read only;\nselect coalesce(({task.unless}\n)::boolean, false);\nrollback"
        )
    except QueryError as exc:
        session.roll_back()
        raise PlanError(
            f"the condition of {task.id} cannot be asked: {exc.server.primary}",
            server=exc.server,
            state="Nothing was recorded.",
        ) from None
    return results[1].rows == (("t",),)


def _compared(
    session: Session, deltas: dict[str, tuple[str, ...]], provided: frozenset[str]
) -> Comparison:
    message = Message().add("begin isolation level repeatable read read only")
    add_snapshot(message)
    message.add("rollback")
    try:
        snapshot = read_snapshot(message, message.send(session))
    finally:
        session.roll_back()
    made = Fold.of(Deed(name, delta) for name, delta in deltas.items() if name not in provided)
    known = [deltas[name] for name in provided if name in deltas]
    return made.compare(catalog_of(snapshot.objects), known).shown(session.mask)


def _entry(task: Task, *, is_provided: bool) -> Entry:
    assert task.migration is not None
    return Entry(
        task.id,
        task.migration.checksum,
        None if is_provided else task.rollback_sql,
        task.directives.irreversible,
        task.directives.transactional,
        State.PROVIDED if is_provided else State.APPLIED,
    )


def _accept(session: Session, newest: Migration, why: str) -> None:
    """Keep the reason for which a difference was accepted, with the newest migration."""
    row = Applied(newest.id, State.APPLIED, newest.checksum)
    session.run(ledger.accept_sql(row, newest.checksum, why))
