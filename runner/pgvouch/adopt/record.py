"""Writes our ledger from another tool's, in one transaction and under the locks of both."""

from collections.abc import Callable, Sequence

from pgvouch import __version__
from pgvouch.adopt.asking import lock_sql, refuse_at_work
from pgvouch.adopt.history import Recorded, Table
from pgvouch.adopt.layout import LaidOut
from pgvouch.adopt.tool import Tool
from pgvouch.errors import PlanError, VouchError
from pgvouch.ledger import ledger
from pgvouch.ledger.lock import guard_error
from pgvouch.ledger.rows import Applied
from pgvouch.postgres.message import Message
from pgvouch.postgres.session import OWN_PATH, QueryError, Session
from pgvouch.sqltext.own import Raw, own_query

_AT_WORK = {"55P03"}
Pairs = Sequence[tuple[LaidOut, Recorded]]


def record(
    session: Session,
    tool: Tool,
    table: Table | None,
    look: Callable[[], Pairs],
    *,
    write_files: Callable[[], None],
) -> int:
    """Record what another tool has applied; the files are written before that is committed.

    Args:
        session: idle; our ledger is there.
        tool: the tool.
        table: its ledger; None where there is none.
        look: reads what is applied, under the locks.
        write_files: writes our files.

    Returns:
        How many migrations were recorded.

    Raises:
        PlanError: the tool, or another runner, is at work, or our ledger is not empty.
        VouchError: as `look` and `write_files` do.
    """
    try:
        _begin(session, tool, table)
        pairs = look()
        _refuse_recorded(ledger.read(session) or [], {item.id for item, _ in pairs})
        message = Message().add(OWN_PATH)
        for item, row in pairs:
            message.add(_record_sql(session, tool, item, row))
        message.send(session)
        write_files()
        session.run("commit")
    finally:
        session.roll_back()
    return len(pairs)


def _begin(session: Session, tool: Tool, table: Table | None) -> None:
    message = Message().add("begin isolation level read committed read write", OWN_PATH)
    message.add(own_query("ledger", "lock"), name="ours")
    if table is not None:
        message.add(*lock_sql(table, tool.lock(table, session.connection.info.dbname)), name="its")
    try:
        results = message.send(session)
    except QueryError as exc:
        name = message.locate(exc).part.name
        if name == "its" and exc.server.sqlstate in _AT_WORK:
            raise refuse_at_work(tool.title) from None
        error = guard_error(exc) if name == "ours" else None
        raise (error if isinstance(error, VouchError) else _another_runner(exc)) from None
    if any(row == ("f",) for result in message.results_of("its", results) for row in result.rows):
        raise refuse_at_work(tool.title)


def _another_runner(exc: QueryError) -> PlanError:
    return PlanError(
        "the ledger cannot be locked: another runner of pgvouch may be at work",
        server=exc.server,
        state="Nothing was adopted.",
        hint="wait until it has ended, and run the same command again",
    )


def _refuse_recorded(rows: Sequence[Applied], adopted: set[str]) -> None:
    """Refuse where our ledger has migrations that are not those that are to be adopted."""
    if others := [row.id for row in rows if row.id not in adopted]:
        raise PlanError(
            f"pgvouch has applied {others[0]}"
            + (f" and {len(others) - 1} more" if others[1:] else "")
            + " here, which the other tool does not know",
            state="Nothing was adopted.",
            hint="a database is adopted before pgvouch migrates it: pgvouch status shows what is "
            "applied",
        )


def _record_sql(session: Session, tool: Tool, item: LaidOut, row: Recorded) -> str:
    from pgvouch.ledger.yoyo import VouchBackend

    mark, log = map(Raw, VouchBackend(session.connection).mark_sql(item.id, "mark"))
    return own_query(
        "adopt",
        "record",
        mark=mark,
        log=log,
        id=item.id,
        checksum=item.checksum,
        rollback_sql=item.rollback,
        irreversible=None,
        transactional=item.is_transactional,
        at=row.at,
        by=tool.name,
        tool_version=__version__,
    )
