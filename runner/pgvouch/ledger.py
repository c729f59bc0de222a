"""The ledger: what is in the database, in rows. Reads them, and gives the SQL that writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pgvouch import __version__, sql
from pgvouch.db import QueryError, Session, noticing_loss
from pgvouch.errors import ConnectError, PlanError
from pgvouch.message import LOCK_KEY, LOCK_TIMEOUT, literal
from pgvouch.plan import Applied, State

VERSION = 1
_YOYO_TABLE = (
    "select coalesce(to_regclass('pgvouch._yoyo_migration'), to_regclass('_yoyo_migration'))::text"
)
_NO_LEDGER = {"3F000", "42P01"}  # no such schema, no such table


def read(session: Session) -> list[Applied] | None:
    """Return the rows of the ledger in the order of application, or None where there is none.

    Raises:
        PlanError: a newer pgvouch has made this ledger, or the role may not read it.
    """
    try:
        # One message is one transaction: the setting ends with it.
        query = sql.load("ledger_rows")
        result = session.run(f"set local lock_timeout = {literal(LOCK_TIMEOUT)};\n{query}")[-1]
    except QueryError as exc:
        if exc.server.sqlstate in _NO_LEDGER:
            return None
        if exc.server.sqlstate == "55P03":
            raise ConnectError(
                f"somebody has kept the ledger locked for {LOCK_TIMEOUT}",
                server=exc.server,
                state="Nothing was run.",
                hint="see who it is: select pid, query from pg_stat_activity join pg_locks using "
                "(pid) where relation = 'pgvouch.migration'::regclass",
            ) from None
        if exc.server.sqlstate == "42501":
            raise _not_ours(exc) from None
        raise
    version = int(result.rows[-1][0] or 0)
    if version > VERSION:
        raise PlanError(
            f"the ledger is of version {version}, and this pgvouch {__version__} knows {VERSION}",
            state="Nothing was run.",
            hint="use the newer pgvouch that has been here before",
        )
    return [_applied(row) for row in result.rows if row[1] is not None]


def _not_ours(exc: QueryError) -> PlanError:
    return PlanError(
        "the ledger belongs to another role",
        server=exc.server,
        hint="connect as the role that migrates; an application has no business here",
    )


def _applied(row: Sequence[str | None]) -> Applied:
    (_, identifier, state, checksum, at, by, duration, checks, rollback, done, running, place) = row
    assert identifier is not None
    return Applied(
        id=identifier,
        state=State(state),
        checksum=checksum,
        applied_at=datetime.fromisoformat(at) if at else None,
        applied_by=by,
        duration_ms=float(duration) if duration else None,
        checks=int(checks) if checks else None,
        has_rollback=rollback == "true",
        statements_done=int(done) if done else None,
        running=running,
        order=int(place or 0),
    )


def read_yoyo(session: Session) -> list[Applied]:
    """Return what stock yoyo has recorded in a database that has no ledger of ours yet."""
    (found,) = session.run(_YOYO_TABLE)
    if (table := found.rows[0][0]) is None:
        return []
    try:
        (result,) = session.run(
            f"select migration_id from {table} order by applied_at_utc, migration_id"
        )
    except QueryError as exc:
        if exc.server.sqlstate == "42501":
            raise _not_ours(exc) from None
        raise
    ids = [row[0] for row in result.rows if row[0]]
    return [Applied(name, State.APPLIED, None, order=place) for place, name in enumerate(ids)]


def ensure(session: Session) -> int | None:
    """Create the ledger where there is none, in a transaction of its own and under the lock.

    Returns:
        The number of migrations taken over from stock yoyo, or None where another runner holds
        the lock.

    Raises:
        QueryError: the role may not create it.
    """
    results = session.run(
        "begin isolation level read committed read write; "
        f"select pg_catalog.pg_try_advisory_xact_lock({LOCK_KEY}); "
        "select pg_catalog.to_regclass('pgvouch.ledger')"
    )
    try:
        if results[1].rows[0][0] != "t":
            session.run("rollback")
            return None
        taken_over = 0 if results[2].rows[0][0] else create(session)
        session.run("commit")
    except BaseException:
        session.roll_back()
        raise
    return taken_over


def create(session: Session) -> int:
    """Create the ledger in the open transaction, and take over what stock yoyo has recorded.

    Returns:
        The number of migrations taken over.
    """
    from pgvouch.backend import VouchBackend

    (found,) = session.run(_YOYO_TABLE)
    session.run("create schema if not exists pgvouch")
    backend = VouchBackend(session.connection)
    with noticing_loss(session.connection):
        backend.create_tables()
    session.run(sql.load("ledger"))
    table = found.rows[0][0]
    if table is not None and not table.startswith("pgvouch."):
        session.run(_take_over_sql(table))
    return len(read(session) or ())


def _take_over_sql(table: str) -> str:
    log = table.replace("_yoyo_migration", "_yoyo_log")
    return f"""
      insert into pgvouch._yoyo_migration select * from {table};
      insert into pgvouch._yoyo_log select * from {log};
      insert into pgvouch.migration (migration_id, state, applied_at, applied_by)
      select migration_id, 'applied', applied_at_utc at time zone 'UTC', 'yoyo'
      from {table} order by applied_at_utc, migration_id"""


@dataclass(frozen=True, slots=True)
class Stored:
    """The rollback that the ledger keeps of a migration."""

    sql: str | None = None
    irreversible: str | None = None
    """Why it may not be run."""


def forget_sql(migration_id: str) -> str:
    """Return the statement that removes a row."""
    return f"delete from pgvouch.migration where migration_id = {literal(migration_id)}"


def record_sql(
    migration_id: str,
    state: State,
    *,
    checksum: str | None,
    rollback_sql: str | None = None,
    irreversible: str | None = None,
    transactional: bool = True,
    duration_ms: float | None = None,
    checks_passed: int | None = None,
    delta: Sequence[str] | None = None,
) -> str:
    """Return the statement that adds a row."""
    values = {
        "migration_id": migration_id,
        "state": state.value,
        "checksum": checksum,
        "rollback_sql": rollback_sql,
        "irreversible": irreversible,
        "transactional": transactional,
        "duration_ms": None if duration_ms is None else round(duration_ms, 3),
        "checks_passed": checks_passed,
        "delta": None if delta is None else "\n".join(delta),
        "tool_version": __version__,
    }
    columns = ", ".join(values)
    literals = ", ".join(literal(value) for value in values.values())
    return f"insert into pgvouch.migration ({columns}) values ({literals})"


def rollback_texts(session: Session, ids: Sequence[str]) -> dict[str, "Stored"]:
    """Return the rollbacks that were stored with migrations, by identifier."""
    (result,) = session.run(
        "select migration_id, rollback_sql, irreversible from pgvouch.migration "
        f"where migration_id = any ({literal(list(ids))})"
    )
    return {str(row[0]): Stored(row[1], row[2]) for row in result.rows}


def accept_sql(row: Applied, checksum: str, why: str) -> str:
    """Return the statements that record a changed file as harmless."""
    return f"""
      insert into pgvouch.acceptance (migration_id, recorded, accepted, why)
      values ({literal(row.id)}, {literal(row.checksum)}, {literal(checksum)}, {literal(why)});
      update pgvouch.migration set checksum = {literal(checksum)}
      where migration_id = {literal(row.id)}"""
