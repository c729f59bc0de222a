"""The runs of repeatable migrations: read, and the SQL that writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pgvouch import __version__
from pgvouch.ledger.ledger import judged_sql, read_of_another_tool, refuse_stranger
from pgvouch.ledger.lock import guard_error
from pgvouch.ledger.rows import Applied, State
from pgvouch.postgres.session import OWN_PATH, QueryError, Session
from pgvouch.sqltext.own import own_query, own_sql


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a repeatable migration."""

    order: int
    id: str
    checksum: str
    after: str | None
    """The newest migration at that time."""
    applied: Applied
    """The same as a row of `status`."""
    delta: tuple[str, ...]


def read_runs(session: Session) -> list[Run]:
    """Return every run, in order; none where there is no table of them.

    Raises:
        PlanError: the table is not to be believed.
    """
    (there,) = session.ask(own_query("ledger", "has_repeatables"))
    if there.rows != (("t",),):
        return []
    query = own_query("ledger", "repeatables")
    return [_run(row) for row in read_of_another_tool(session, "pgvouch.repeatable", query).rows]


def _run(row: Sequence[str | None]) -> Run:
    order, name, checksum, after, has_rollback, at, by, ms, checks, delta = row
    applied = Applied(
        str(name),
        State.APPLIED,
        checksum,
        datetime.fromisoformat(at) if at else None,
        by,
        float(ms) if ms else None,
        int(checks) if checks else None,
        has_rollback == "t",
    )
    lines = tuple(filter(None, (delta or "").split("\n")))
    return Run(int(order or 0), str(name), str(checksum), after, applied, lines)


def in_force(runs: Sequence[Run]) -> dict[str, Run]:
    """Return the last run of each repeatable migration."""
    return {run.id: run for run in runs}


def text_of(session: Session, run: Run) -> tuple[str, str | None]:
    """Return the SQL of a run, and what takes it away."""
    (result,) = session.ask(own_query("ledger", "repeatable_text", run_order=run.order))
    sql, rollback = result.rows[0]
    return str(sql), rollback


def ensure_table(session: Session) -> None:
    """Create the table of runs where there is none; the ledger is there.

    Raises:
        LockedError: another runner is at work.
        PlanError: a table of its name is not to be believed.
        QueryError: the role may not, or nothing can be written here.
    """
    statements = [
        "begin isolation level read committed read write",
        OWN_PATH,
        own_query("ledger", "lock"),
        own_sql("ledger/repeatable").strip(),
        judged_sql("pgvouch.repeatable"),
        "commit",
    ]
    try:
        session.run("\n;".join(statements))
    except QueryError as exc:
        session.roll_back()
        refuse_stranger(exc)
        raise guard_error(exc) or exc from None


def record_run_sql(columns: Mapping[str, object], *, xid: str) -> str:
    """Return the statement that records a run.

    Args:
        columns: a value for each of the columns that the block `record_repeatable` names.
        xid: the transaction in which alone it may run.
    """
    return own_query("ledger", "record_repeatable", xid=xid, tool_version=__version__, **columns)


def forget_runs_sql(name: str, *, behind: int, xid: str) -> str:
    """Return the statement that forgets the runs of one behind a run; 0 forgets all of them."""
    return own_query("ledger", "forget_repeatable", id=name, run_order=behind, xid=xid)
