"""The newest migration rolled back and applied again: where both can be, in one transaction."""

from collections.abc import Sequence
from dataclasses import replace

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.engine.commands import Outcome, count_applied, pending
from pgvouch.engine.context import RunContext, Scope
from pgvouch.engine.run import run
from pgvouch.engine.task import Task, prepare_rollback, sound, tell_warnings
from pgvouch.errors import Interrupted, PlanError, VouchError
from pgvouch.events import Finished, Listener
from pgvouch.ledger import ledger
from pgvouch.ledger.repeatable import Run, read_runs
from pgvouch.ledger.rows import Applied
from pgvouch.plan import build, repeat
from pgvouch.plan.drift import drift, refuse_drift
from pgvouch.postgres.session import ConnectionLost, Session


def redo(
    session: Session,
    database: Database,
    options: Options,
    listener: Listener,
    *,
    require_promises: bool = False,
) -> Outcome:
    """Roll the newest migration back and apply its file as it is now, with all its promises.

    Every file is read, and refused, before anything is run. One transaction holds both halves, and
    the runners' lock with it, unless one of them is not transactional or has another isolation.

    Raises:
        VouchError: with what is in the database now.
        DataLossError: rows would be lost.
        PlanError: the migration has no file here, or no rollback.
    """
    rows = ledger.read(session) or []
    newest = build.backward(rows, steps=1)
    if not newest:
        return Outcome.of((), rows)
    (row,) = newest
    migration = database.by_id.get(row.id)
    if migration is None:
        raise PlanError(
            f"{row.id} has no file here, so it cannot be applied again",
            state="Nothing was rolled back.",
            hint="pgvouch rollback takes it back, with what the ledger has stored",
        )
    refuse_drift([d for d in drift(database.migrations, rows) if d.row.id != row.id])
    left = [other for other in rows if other.id != row.id]
    todo = pending(database, left, to=row.id, out_of_order=True)
    back = prepare_rollback(session, newest, database.by_id, options, among=rows, listener=listener)
    runs = _runs_after(read_runs(session) if database.repeatables else [], back)
    restored = {task.id for task in back if task.restores}
    due = [m for m in repeat.due(database.repeatables, runs) if m.id in restored]
    forth = sound(
        *(replace(todo, pending=(migration,)), database, options),
        require_promises=require_promises,
        repeated=due,
        runs=runs,
    )
    warnings = tell_warnings(forth, listener)
    context = RunContext(session, options, listener)
    if _fit_together([*back, *forth]):
        done = _run_together(context, back, forth, row)
    else:
        done = _run_apart(context, back, forth, row, count_applied(left))
    return Outcome.of(done, ledger.read(session) or (), todo.ahead, warnings)


def _runs_after(runs: Sequence[Run], back: Sequence[Task]) -> list[Run]:
    """Return the runs of repeatable migrations that the rollback leaves."""
    behind = {task.id: task.behind for task in back if task.restores}
    return [run for run in runs if run.id not in behind or run.order <= behind[run.id]]


def _fit_together(tasks: Sequence[Task]) -> bool:
    """Say whether one transaction can hold them all."""
    isolations = {task.directives.isolation for task in tasks}
    return len(isolations) == 1 and all(task.directives.transactional for task in tasks)


def _run_together(
    context: RunContext, back: Sequence[Task], forth: Sequence[Task], row: Applied
) -> list[Finished]:
    try:
        return run(context, [*back, *forth], Scope.TOGETHER)
    except (VouchError, Interrupted) as exc:
        # The ledger's row, by which it is found out otherwise, is there in both cases.
        if isinstance(exc, Interrupted) or isinstance(exc.__cause__, ConnectionLost):
            exc.state = (
                f"{row.id} is in the database: as it was, or redone as a whole where the COMMIT "
                "arrived; pgvouch history says which."
            )
        else:
            exc.state = f"{row.id} is in the database as it was: the redo was one transaction."
        raise


def _run_apart(
    context: RunContext, back: Sequence[Task], forth: Sequence[Task], row: Applied, recorded: int
) -> list[Finished]:
    done = run(context, back)
    try:
        return done + run(context, forth, recorded=recorded)
    except (VouchError, Interrupted) as exc:
        exc.state = f"{row.id} was rolled back. {exc.state or ''}".strip()
        if isinstance(exc, VouchError):
            exc.hint = (
                f"then pgvouch migrate --to {row.id} applies it: another redo would be about the "
                "migration before it"
            )
        raise
