"""Goes on with a non-transactional migration of which nobody can know how its statement ended."""

from enum import Enum

from pgvouch import claims, ledger, plan
from pgvouch.claims import Claim
from pgvouch.config import Database
from pgvouch.db import Session
from pgvouch.engine import Engine
from pgvouch.errors import PlanError, VouchError
from pgvouch.events import Finished, Listener
from pgvouch.message import literal
from pgvouch.options import Options
from pgvouch.plan import Applied, State
from pgvouch.prepare import prepare
from pgvouch.rollback import prepare_rollback, roll_back
from pgvouch.walk import statements_of


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
        how: DONE: the statement that was under way is done. REDO: it is not. UNDO: take all of the
            migration back, by its rollback.
        options: how a rollback is run.
        listener: is told about it.

    Returns:
        The ledger's row as it was, and what was rolled back.

    Raises:
        PlanError: it has not stopped, or a runner is at work on it.
        VouchError: the rollback failed.
    """
    row = plan.find(ledger.read(session) or [], wanted)
    claim = claims.read(session, row.id)
    if claim is None:
        raise PlanError(f"{row.id} has not stopped on its way: there is nothing to repair")
    if claim.token and (worker := claims.worker(session, claim)):
        raise PlanError(f"a runner is at work on {row.id}: {worker}")
    engine = Engine(session, options, listener)
    if how is How.UNDO:
        return row, _undo(engine, database, row, claim)
    steps, done = _statements(engine, database, row, claim.state), claim.done
    if how is How.DONE:
        if done >= max(len(steps), 1):
            raise PlanError(f"every statement of {row.id} is done: pgvouch migrate goes on with it")
        done += 1
    _write(session, row.id, claim.state, done, claims.progress_of(steps[:done]), None)
    return row, []


def _undo(engine: Engine, database: Database, row: Applied, claim: Claim) -> list[Finished]:
    session = engine.session
    undo = prepare_rollback(engine, [row], database.by_id, engine.options.variables)
    _write(session, row.id, State.UNDOING, 0, claims.progress_of(()), None)
    try:
        return roll_back(engine, undo)
    except VouchError:
        now = claims.read(session, row.id)
        if now is not None and now.done == 0 and now.running is None:
            # Nothing was taken back, so it is what it was: on its way forward.
            _write(session, row.id, claim.state, claim.done, claim.progress, claim.running)
        raise


def _write(
    session: Session,
    identifier: str,
    state: State,
    done: int,
    progress: str | None,
    running: str | None,
) -> None:
    session.run(
        f"update pgvouch.migration set state = {literal(state.value)}, statements_done = {done}, "
        f"progress = {literal(progress)}, running = {literal(running)}, token = null, "
        f"touched_at = null where migration_id = {literal(identifier)}"
    )


def _statements(engine: Engine, database: Database, row: Applied, state: State) -> list[str]:
    """Return the statements that the migration is made of, as their authors wrote them."""
    variables = engine.options.variables
    if state is State.UNDOING:
        (undo,) = prepare_rollback(engine, [row], database.by_id, variables)
        return statements_of(undo.script)[1]
    migration = database.by_id.get(row.id)
    if migration is None:
        raise PlanError(f"{row.id} has no file here", hint="use the release that has it")
    (prepared,) = prepare([migration], variables, require_promises=False)
    return statements_of(prepared.script)[1]
