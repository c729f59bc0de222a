"""Applies what is pending and rolls it back, in one transaction that leaves nothing behind."""

from collections.abc import Sequence

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.engine.commands import Outcome, create_ledger, pending
from pgvouch.engine.task import Task
from pgvouch.errors import CheckError, PlanError
from pgvouch.events import Listener, Note
from pgvouch.ledger import ledger
from pgvouch.ledger.repeatable import read_runs
from pgvouch.ledger.rows import Applied
from pgvouch.plan import build, repeat
from pgvouch.postgres.session import Session


def rehearse(
    session: Session,
    database: Database,
    options: Options,
    listener: Listener,
    *,
    to: str | None = None,
    require_promises: bool = False,
) -> Outcome:
    """Apply what is pending and roll it back, in one transaction that leaves nothing behind.

    Differences of the catalog do not end it: they are reported together, at the end.

    Raises:
        VouchError: a migration, a check or a rollback failed, the catalog is not what a delta says,
            or a rollback left something.
        PlanError: a rollback is missing; nothing was run.
    """
    from pgvouch.engine.context import Deltas, RunContext, Scope
    from pgvouch.engine.run import run
    from pgvouch.engine.task import prepare_rollback, refuse_unlike, sound, tell_warnings

    rows = ledger.read(session)
    known = ledger.read_yoyo(session) if rows is None else rows
    todo = pending(database, known, to=to, out_of_order=False)
    tasks = sound(todo, database, options, require_promises=require_promises)
    warnings = tell_warnings(tasks, listener)
    refuse_unlike(todo.pending)
    _refuse_without_rollback(tasks)
    if not tasks:
        return Outcome.of((), known, todo.ahead)
    if rows is None:
        create_ledger(session, options, listener)
    differences: list[CheckError] = []
    has_runs = rows is not None and database.repeatables
    made = repeat.made(read_runs(session)) if has_runs else ()
    context = RunContext(session, options, listener, Deltas.TAKEN, differences, made=made)
    try:
        done = run(context, tasks, Scope.REHEARSAL)
        ids = {event.id for event in done}
        fresh = [row for row in ledger.read(session) or () if row.id in ids]
        back = _up_to_irreversible(build.backward(fresh), tasks, listener)
        rollbacks = prepare_rollback(session, back, database.by_id, options)
        done += run(context, rollbacks, Scope.REHEARSAL)
    finally:
        session.roll_back()
    if differences:
        raise _together(differences)
    return Outcome.of(done, known, todo.ahead, warnings)


def _refuse_without_rollback(tasks: Sequence[Task]) -> None:
    """Say before all the work, not after it, what cannot be rolled back.

    What may turn out to be there already has nothing to be rolled back.
    """
    missing = [
        task.id
        for task in tasks
        if task.rollback_sql is None
        and not task.is_python
        and not task.directives.irreversible
        and not task.unless
    ]
    if missing:
        many = "migrations have" if len(missing) > 1 else "migration has"
        raise PlanError(
            f"{len(missing)} {many} no rollback, and a rehearsal rolls everything back",
            notes=[f"{identifier}: no {identifier}.rollback.sql" for identifier in missing],
            state="Nothing was run.",
            hint="write the rollbacks; or say `-- irreversible: why` in the header, and the "
            "rehearsal stops there; or rehearse what comes before with --to",
        )


def _up_to_irreversible(
    newest_first: Sequence[Applied], tasks: Sequence[Task], listener: Listener
) -> list[Applied]:
    kept = {task.id for task in tasks if task.directives.irreversible}
    for number, row in enumerate(newest_first):
        if row.id in kept:
            listener(
                Note(f"{row.id} is irreversible: it and what is before it are not rolled back")
            )
            return list(newest_first[:number])
    return list(newest_first)


def _together(differences: Sequence[CheckError]) -> CheckError:
    """Return one error for all; the first one leads."""
    first, *others = differences
    for other in others:
        where = f" ({other.place})" if other.place else ""
        first.notes.append(f"also: {other.message}{where}")
        first.notes += [f"  {note}" for note in other.notes]
    first.state = "Nothing of the rehearsal is in the database."
    return first
