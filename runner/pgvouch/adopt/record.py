"""Writes our ledger without running anything, in one transaction and under everybody's locks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pgvouch import __version__
from pgvouch.adopt.asking import lock_sql, refuse_at_work
from pgvouch.adopt.history import Table
from pgvouch.adopt.tool import Tool
from pgvouch.errors import PlanError, VouchError
from pgvouch.ledger import ledger
from pgvouch.ledger.lock import guard_error
from pgvouch.ledger.rows import Applied, State
from pgvouch.postgres.message import Message
from pgvouch.postgres.session import OWN_PATH, QueryError, Session
from pgvouch.sqltext.own import Raw, own_query

_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True)
class Entry:
    """A migration that is recorded and not run."""

    id: str
    checksum: str
    rollback: str | None = None
    irreversible: str | None = None
    is_transactional: bool = True
    state: State = State.APPLIED
    at: str | None = None
    """When it was applied, as PostgreSQL writes a timestamptz; None is now."""
    by: str | None = None
    """Which tool has applied it; None is the role."""
    repeatable: str | None = None
    """The text of one that is run again when it changes; None: it is a numbered one."""


def record(
    session: Session,
    look: Callable[[], Sequence[Entry]],
    *,
    tool: Tool | None = None,
    table: Table | None = None,
    ahead_of_commit: Callable[[], None] = lambda: None,
) -> int:
    """Record what is in the database already.

    Args:
        session: idle; our ledger is there, and the table of runs where there are such.
        look: says what is to be recorded; called under the locks.
        tool: whose ledger has said so, if one has.
        table: that ledger.
        ahead_of_commit: called when everything is written and not yet committed.

    Returns:
        How many migrations were recorded.

    Raises:
        PlanError: the tool, or another runner, is at work, or our ledger has other migrations.
        VouchError: as `look` and `ahead_of_commit` do.
    """
    try:
        _begin(session, tool, table)
        entries = look()
        _refuse_recorded(ledger.read(session) or [], {entry.id for entry in entries})
        message = Message().add(OWN_PATH)
        for entry in entries:
            message.add(_record_sql(session, entry))
        message.send(session)
        ahead_of_commit()
        session.run("commit")
    finally:
        session.roll_back()
    return len(entries)


def _begin(session: Session, tool: Tool | None, table: Table | None) -> None:
    message = Message().add("begin isolation level read committed read write", OWN_PATH)
    message.add(own_query("ledger", "lock"), name="ours")
    if tool is not None and table is not None:
        message.add(*lock_sql(table, tool.lock(table, session.connection.info.dbname)), name="its")
    try:
        results = message.send(session)
    except QueryError as exc:
        name = message.locate(exc).part.name
        if name == "its" and tool and exc.server.sqlstate == _LOCK_NOT_AVAILABLE:
            raise refuse_at_work(tool.title) from None
        error = guard_error(exc) if name == "ours" else None
        raise (error if isinstance(error, VouchError) else _another_runner(exc)) from None
    if tool and any(("f",) in result.rows for result in message.results_of("its", results)):
        raise refuse_at_work(tool.title)


def _another_runner(exc: QueryError) -> PlanError:
    return PlanError(
        "the ledger cannot be locked: another runner of pgvouch may be at work",
        server=exc.server,
        state="Nothing was recorded.",
        hint="wait until it has ended, and run the same command again",
    )


def _refuse_recorded(rows: Sequence[Applied], wanted: set[str]) -> None:
    """Refuse where our ledger has migrations that are not to be recorded."""
    if others := [row.id for row in rows if row.id not in wanted]:
        more = f" and {len(others) - 1} more" if others[1:] else ""
        raise PlanError(
            f"pgvouch has applied {others[0]}{more} here already",
            state="Nothing was recorded.",
            hint="this is done once, before pgvouch migrates a database: pgvouch status shows "
            "what is applied",
        )


def _record_sql(session: Session, entry: Entry) -> str:
    if entry.repeatable is not None:
        return own_query(
            "adopt",
            "record_repeatable",
            id=entry.id,
            checksum=entry.checksum,
            sql=entry.repeatable,
            at=entry.at,
            by=entry.by,
            tool_version=__version__,
        )
    from pgvouch.ledger.yoyo import VouchBackend

    mark, log = map(Raw, VouchBackend(session.connection).mark_sql(entry.id, "mark"))
    return own_query(
        "adopt",
        "record",
        mark=mark,
        log=log,
        id=entry.id,
        state=entry.state.value,
        checksum=entry.checksum,
        rollback_sql=entry.rollback,
        irreversible=entry.irreversible,
        transactional=entry.is_transactional,
        at=entry.at,
        by=entry.by,
        tool_version=__version__,
    )
