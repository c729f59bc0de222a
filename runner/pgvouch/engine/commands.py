"""What each command does to one database. No printing: results are values, progress is events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.errors import MigrationError, PlanError, VouchError
from pgvouch.events import Finished, Listener, Note, silent
from pgvouch.ledger import ledger
from pgvouch.ledger.lock import LockedError, under_lock
from pgvouch.ledger.repeatable import ensure_table, read_runs
from pgvouch.ledger.rows import Applied, State
from pgvouch.plan import build, repeat
from pgvouch.plan.drift import drift, find_applied, refuse_drift
from pgvouch.plan.squashed import refuse_partly_squashed, with_squashed
from pgvouch.postgres.read_only import READ_ONLY, cannot_begin
from pgvouch.postgres.session import QueryError, Session
from pgvouch.sqltext.own import own_query

if TYPE_CHECKING:
    from pgvouch.engine.task import Task


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of migrate or rollback did."""

    finished: tuple[Finished, ...]
    applied: int
    """How many migrations are in the database now, those that it had already not counted."""
    ahead: tuple[str, ...] = ()
    warnings: tuple[VouchError, ...] = ()
    """What is allowed in the files and may not be meant."""
    provided: int = 0
    """How many the database had already."""

    @classmethod
    def of(
        cls,
        finished: Sequence[Finished],
        rows: Sequence[Applied],
        ahead: tuple[str, ...] = (),
        warnings: tuple[VouchError, ...] = (),
    ) -> Self:
        """Return the outcome of a run after which the ledger has these rows."""
        provided = sum(row.state is State.PROVIDED for row in rows)
        applied = count_applied(rows) - provided
        return cls(tuple(finished), applied, ahead, warnings, provided)


@dataclass(frozen=True, slots=True)
class Limits:
    """A session's limits, as its role, its database, the server or the connection set them."""

    statement_timeout: str | None
    """None: there is none."""
    has_repeatables: bool = False
    """Whether repeatable migrations were ever run here."""


def read_limits(session: Session) -> Limits:
    """Return the limits that hold where neither a file nor an option says anything."""
    timeout, runs = session.ask(
        "select nullif(current_setting('statement_timeout'), '0');\n"
        + own_query("ledger", "has_repeatables")
    )
    return Limits(timeout.rows[0][0], runs.rows == (("t",),))


def read_ledger(session: Session, *, of_anyone: bool = False) -> list[Applied]:
    """Return the ledger's rows, or what stock yoyo has recorded where there is no ledger yet."""
    rows = ledger.read(session, of_anyone=of_anyone)
    return ledger.read_yoyo(session) if rows is None else rows


def pending(
    database: Database, rows: Sequence[Applied], *, to: str | None, out_of_order: bool
) -> build.Plan:
    """Return what `migrate` would do.

    Raises:
        DriftError: an applied file has changed or is gone.
        PlanError: an order or a target that cannot be.
    """
    refuse_partly_squashed(database.migrations, rows)
    rows = with_squashed(database.migrations, rows)
    refuse_drift(drift(database.migrations, rows))
    return build.forward(database.migrations, rows, to=to, out_of_order=out_of_order)


def migrate(
    session: Session,
    database: Database,
    options: Options,
    listener: Listener,
    *,
    to: str | None = None,
    out_of_order: bool = False,
    require_promises: bool = False,
    prepared: "Mapping[str, Task]" = MappingProxyType({}),
) -> Outcome:
    """Apply what is pending.

    Args:
        session: on the database.
        database: the files.
        options: how migrations are run.
        listener: told what happens.
        to: the last migration; None means all.
        out_of_order: allow a number below the newest applied one.
        require_promises: refuse a migration without any.
        prepared: files that were read for another database.

    Raises:
        VouchError: with what landed and what did not.
    """
    rows = ledger.read(session)
    known = ledger.read_yoyo(session) if rows is None else rows
    todo = pending(database, known, to=to, out_of_order=out_of_order)
    _tell_ahead(todo, known, listener)
    # What stops short of the newest migration may lack what they name.
    runs = read_runs(session) if rows is not None and database.repeatables else []
    repeated = repeat.due(database.repeatables, runs) if to is None else []
    if not (todo.pending or repeated):
        if rows is None and known:
            # What stock yoyo has recorded, or marked, is ours from here on, and can be rolled back.
            create_ledger(session, options, listener)
        return Outcome.of((), known, todo.ahead)
    from pgvouch.engine.context import RunContext, Scope
    from pgvouch.engine.run import run
    from pgvouch.engine.task import refuse_unlike, sound, tell_warnings

    tasks = sound(
        *(todo, database, options),
        require_promises=require_promises,
        repeated=repeated,
        runs=runs,
        prepared=prepared,
    )
    warnings = tell_warnings(tasks, listener)
    if options.single_transaction:
        refuse_unlike((*todo.pending, *repeated))
    if rows is None:
        create_ledger(session, options, listener)
    if any(row.is_untouched for row in known):
        from pgvouch.engine.resume import keep_untouched

        keep_untouched(session, options, listener, known)
    if repeated and not runs:
        _made(session, options, listener, lambda: ensure_table(session))
    scope = Scope.TOGETHER if options.single_transaction else Scope.EACH
    context = RunContext(session, options, listener, made=repeat.made(runs))
    done = run(context, tasks, scope, recorded=count_applied(known))
    applied = [Applied(e.id, State(e.outcome)) for e in done if e.id in database.by_id]
    now: Sequence[Applied] = list({row.id: row for row in (*known, *applied)}.values())
    if len(done) < len(tasks):  # another runner was quicker with some of them
        now = ledger.read(session) or ()
    return Outcome.of(done, now, todo.ahead, warnings)


def roll_back_steps(
    session: Session,
    database: Database,
    options: Options,
    listener: Listener,
    *,
    steps: int | None,
    to: str | None,
) -> Outcome:
    """Roll migrations back, newest first.

    Raises:
        VouchError: with what was rolled back and what is still there.
    """
    from pgvouch.engine.context import RunContext
    from pgvouch.engine.run import run
    from pgvouch.engine.task import prepare_rollback

    rows = ledger.read(session) or []
    todo = build.backward(rows, steps=steps, to=to)
    if not todo:
        return Outcome.of((), rows)
    tasks = prepare_rollback(session, todo, database.by_id, options, among=rows, listener=listener)
    done = run(RunContext(session, options, listener), tasks)
    gone = {event.id for event in done}
    return Outcome.of(done, [row for row in rows if row.id not in gone])


def look_back(
    session: Session, database: Database, options: Options, *, steps: int | None, to: str | None
) -> list[tuple["Task", tuple[str, ...]]]:
    """Return what `rollback` would run and lose, found by running it in a transaction that is
    rolled back; its locks are held as long as that takes.

    Raises:
        VouchError: a rollback fails.
    """
    from pgvouch.engine.context import RunContext, Scope
    from pgvouch.engine.run import run
    from pgvouch.engine.task import prepare_rollback

    rows = ledger.read(session) or []
    todo = build.backward(rows, steps=steps, to=to)
    if not todo:
        return []
    context = RunContext(
        session, replace(options, discard_data=True, accept_difference=True), silent
    )
    tasks = prepare_rollback(session, todo, database.by_id, options, among=rows)
    alone = next(
        (n for n, task in enumerate(tasks) if not task.directives.transactional), len(tasks)
    )
    try:
        session.run("begin")
        done = run(context, tasks[:alone], Scope.REHEARSAL)
    finally:
        session.roll_back()
    found = [
        (task, ("provided: left as it is",) if event.outcome == "left" else event.notes)
        for task, event in zip(tasks, done, strict=False)
    ]
    later = ("not run here: it is not transactional, or comes after one that is not",)
    return found + [(task, later) for task in tasks[alone:]]


def create_ledger(session: Session, options: Options, listener: Listener) -> None:
    """Create the ledger, waiting for another runner that does so.

    Raises:
        VouchError: the role may not, or the wait is spent.
    """

    def ensure() -> int:
        if (taken_over := ledger.ensure(session)) is None:
            raise LockedError
        return taken_over

    if taken_over := _made(session, options, listener, ensure):
        listener(Note(f"{taken_over} migrations taken over from yoyo; its tables stay as they are"))


def _made(
    session: Session, options: Options, listener: Listener, make: Callable[[], int | None]
) -> int | None:
    try:
        return under_lock(session, options, listener, make, state="Nothing was run.")
    except QueryError as exc:
        session.roll_back()
        raise _no_ledger(session, exc) from None


def _no_ledger(session: Session, exc: QueryError) -> VouchError:
    if exc.word == READ_ONLY or (exc.server.sqlstate in {"25006", "0A000"} and not exc.done):
        return cannot_begin(session, exc)
    return MigrationError(
        f"the ledger cannot be created: {exc.server.primary}",
        server=exc.server,
        state="Nothing was run.",
        hint="connect as the ledger's owner, or as a role that may create a schema here",
    )


def _tell_ahead(todo: build.Plan, rows: Sequence[Applied], listener: Listener) -> None:
    under_way = {row.id for row in rows if row.state in {State.INCOMPLETE, State.UNDOING}}
    whole = [name for name in todo.ahead if name not in under_way]
    if whole:
        listener(
            Note(f"the database is ahead of these files by {', '.join(whole)}: a newer release")
        )
    for name in todo.ahead:
        if name in under_way:
            listener(
                Note(
                    f"{name} stopped halfway, and its file is not here: pgvouch migrate of "
                    f"the release that has it goes on; pgvouch repair {name} --undo takes it back"
                )
            )


def count_applied(rows: Sequence[Applied]) -> int:
    """Return how many migrations are in the database whole."""
    return sum(row.state is not State.INCOMPLETE for row in rows)


def accept(session: Session, database: Database, wanted: str, why: str) -> Applied:
    """Record that the change to an applied file is harmless.

    Returns:
        The ledger's row as it was.

    Raises:
        PlanError: the migration is not applied, or its file is not changed.
    """
    rows = read_ledger(session)
    row = find_applied(rows, database.migrations, wanted)
    migration = database.by_id.get(row.id)
    if migration is None:
        raise PlanError(
            f"{row.id} has no file here, so there is no change to accept",
            hint="pgvouch plan says what can be done about a file that is gone",
        )
    if row.state is State.INCOMPLETE or row.checksum in {None, migration.checksum}:
        raise PlanError(f"{row.id} has not changed since it was applied")
    session.ask(ledger.accept_sql(row, migration.checksum, why))
    return row
