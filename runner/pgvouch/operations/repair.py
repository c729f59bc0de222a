"""Goes on with a non-transactional migration once a person knows how its statement ended."""

from dataclasses import replace
from enum import Enum

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.engine.context import RunContext
from pgvouch.engine.run import run
from pgvouch.engine.task import prepare_rollback
from pgvouch.errors import PlanError, VouchError
from pgvouch.events import Finished, Listener
from pgvouch.ledger import lease, ledger
from pgvouch.ledger.lease import BETWEEN, Lease
from pgvouch.ledger.rows import Applied, State
from pgvouch.plan import build
from pgvouch.postgres.session import Session


class How(Enum):
    """What a person has found out about the statement."""

    DONE = "done"
    REDO = "redo"
    UNDO = "undo"


def repair(
    session: Session,
    database: Database,
    wanted: str,
    how: How,
    options: Options,
    listener: Listener,
) -> tuple[Applied, list[Finished]]:
    """Settle a migration that stopped on its way, as a person says.

    Args:
        session: idle.
        database: with the files.
        wanted: the migration.
        how: DONE: the statement that was under way is done. REDO: it is not. UNDO: roll all of
            the migration back.
        options: how a rollback is run.
        listener: is told about it.

    Returns:
        The ledger's row as it was, and what was rolled back.

    Raises:
        PlanError: it has not stopped, nothing is unknown of it, or a runner is at work on it.
        VouchError: the rollback failed.
    """
    row = build.find(ledger.read(session) or [], wanted)
    found = lease.read(session, row.id)
    if found is None:
        raise PlanError(f"{row.id} has not stopped halfway: there is nothing to repair")
    if found.token and (worker := lease.worker(session, found)):
        raise PlanError(f"a runner is at work on {row.id}: {worker}")
    if how is How.UNDO:
        if found.state is State.UNDOING:
            raise _undoing_already(row, found)
        return row, _roll_back(RunContext(session, options, listener), database, row, found)
    command = "rollback" if found.state is State.UNDOING else "migrate"
    if (running := found.stopped.running) is None:
        raise PlanError(
            f"nothing is unknown of {row.id}: {found.done} of its statements are done, and "
            "PostgreSQL has answered to every one that was sent",
            state="Nothing was changed.",
            hint=f"pgvouch {command} goes on with it",
        )
    settled = replace(found, stopped=BETWEEN)
    if how is How.DONE:
        progress = lease.next_progress(found.progress, running)
        settled = replace(settled, done=found.done + 1, progress=progress)
    lease.write(session, row.id, settled)
    return row, []


def _undoing_already(row: Applied, found: Lease) -> PlanError:
    unknown = f"pgvouch repair {row.id} --done (it was), or --redo (it was not)"
    return PlanError(
        f"{row.id} is being rolled back already: its rollback stopped after {found.done} "
        "statements",
        state="Nothing was changed.",
        hint=unknown if found.stopped.running else "pgvouch rollback goes on with it",
    )


def _roll_back(
    context: RunContext, database: Database, row: Applied, found: Lease
) -> list[Finished]:
    session = context.session
    tasks = prepare_rollback(session, [row], database.by_id, context.options)
    begun = Lease(State.UNDOING, 0, lease.NOTHING_DONE, BETWEEN, None, None, is_recent=False)
    lease.write(session, row.id, begun)
    try:
        return run(context, tasks)
    except VouchError as exc:
        now = lease.read(session, row.id)
        if now is not None and now.done == 0 and now.stopped == BETWEEN:
            # Nothing was rolled back, so it is what it was: on its way forward.
            lease.write(session, row.id, found)
            exc.state = (
                f"{row.id} is what it was: {found.done} of its statements are done and in the "
                "database, nothing was rolled back."
            )
        raise
