"""Reads the ledger's rows, and gives the SQL that writes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from pgvouch import __version__
from pgvouch.errors import ConnectError, PlanError
from pgvouch.ledger.rows import Applied, State
from pgvouch.postgres import read_only
from pgvouch.postgres.result import Result
from pgvouch.postgres.session import OWN_PATH, QueryError, Session
from pgvouch.sqltext.own import Raw, literal, own_query, own_sql

VERSION = 1
UNTRUSTED = "PGV06"
"""Raised by the block `trust`."""
_LOOK_TIMEOUT = "5s"
_NO_JIT = "set local jit = off"
"""To compile the query takes longer than to run it, however many rows there are."""
_CREATE_TIMEOUT = "100ms"
_NO_LEDGER = {"3F000", "42P01"}  # no such schema, no such table
_NAME_HELD = "55P03"  # by another runner that has not committed yet
_NOT_LOCKED = {*_NO_LEDGER, "42809", "42501", "55P03"}  # no table, no right to it, locked by others
_CREATED_BY_ANOTHER = {"42P06", "42P07", "42710", "23505"}
_RELATIONS = (
    *("ledger", "migration", "acceptance", "repeatable"),
    *("_yoyo_migration", "_yoyo_log", "_yoyo_version"),
)


def read(session: Session, *, of_anyone: bool = False) -> list[Applied] | None:
    """Return the rows of the ledger in the order of application, or None where there is none.

    Args:
        session: where.
        of_anyone: also believe a ledger that belongs to an unrelated role: for commands that
            only wait, and run nothing of what it says.

    Raises:
        PlanError: it is not to be believed, a newer pgvouch has made it, or the role may not read
            it.
    """
    try:
        result = session.ask(read_sql(of_anyone=of_anyone))[-1]
    except QueryError as exc:
        if exc.server.sqlstate in _NOT_LOCKED and session.is_idle:
            # A ledger that is not to be believed is told first.
            _ask(session, _trust_all_sql(of_anyone=of_anyone))
        if exc.server.sqlstate in _NO_LEDGER:
            return None
        if exc.server.sqlstate == "55P03":
            raise ConnectError(
                f"another session has kept the ledger locked for {_LOOK_TIMEOUT}",
                server=exc.server,
                state="Nothing was run.",
                hint="see who it is: select pid, query from pg_stat_activity join pg_locks using "
                "(pid) where relation = 'pgvouch.migration'::regclass",
            ) from None
        refuse_stranger(exc)
        raise
    version = int(result.rows[-1][0] or 0)
    if version > VERSION:
        raise PlanError(
            f"the ledger is of version {version}, and this pgvouch {__version__} knows {VERSION}",
            state="Nothing was run.",
            hint="use the newer pgvouch that has been here before",
        )
    return rows_of(result)


def read_sql(*, of_anyone: bool = False) -> str:
    """Return the statements of which the last gives the rows of a ledger that is to be believed."""
    lock = _lock_sql("pgvouch.ledger", "pgvouch.migration", "pgvouch._yoyo_migration")
    return (
        f"set local lock_timeout = '{_LOOK_TIMEOUT}';\n{_NO_JIT};\n{lock};\n"
        f"{_trust_all_sql(of_anyone=of_anyone)};\n{own_query('ledger', 'rows')}"
    )


def _trust_all_sql(*, of_anyone: bool) -> str:
    names = ", ".join(literal(name) for name in _RELATIONS)
    return _trust_sql(f"n.nspname = 'pgvouch' and c.relname in ({names})", of_anyone=of_anyone)


def rows_of(result: Result) -> list[Applied]:
    """Return the ledger's rows from what the query `rows` gave."""
    rows = [row for row in result.rows if row[1] is not None]
    if not rows:
        return []
    # Column by column, for there may be thousands of rows.
    columns = dict(zip(result.columns or (), zip(*rows, strict=True), strict=True))
    return list(map(Applied, *(_values(name, columns[name]) for name in _FIELDS)))


def _values(field: str, column: Sequence[str | None]) -> Sequence[Any]:
    if (read := _READ.get(field)) is None:
        return column
    return [None if value is None else read(value) for value in column]


def _lock_sql(*tables: str) -> str:
    """Return the statement that keeps tables what they are while they are judged and read.

    Otherwise others could be put in their place between the one and the other.
    """
    return f"lock table {', '.join(f'only {table}' for table in tables)} in access share mode"


def _ask(session: Session, statements: str) -> tuple[Result, ...]:
    """Ask a ledger, and say of one that is not ours, or not to be believed, what it is.

    Raises:
        PlanError: it is one of these.
    """
    try:
        return session.ask(statements)
    except QueryError as exc:
        refuse_stranger(exc)
        raise


def _trust_sql(relations: str, *, of_anyone: bool = False) -> str:
    """Return the statement that fails where a ledger is not to be believed."""
    return own_query(
        "ledger", "trust", relations=Raw(relations), owners=not of_anyone, untrusted=UNTRUSTED
    )


def refuse_stranger(exc: QueryError) -> None:
    """Say of a ledger that is not ours, or not to be believed, what it is.

    Raises:
        PlanError: it is one of these.
    """
    if exc.server.sqlstate not in {"42501", UNTRUSTED}:
        return
    is_refused = exc.server.sqlstate == "42501"
    flaw = f"{exc.server.primary} is not believed: {exc.server.detail}"
    if is_refused or exc.server.hint == "owner":
        raise PlanError(
            "the ledger belongs to another role",
            server=exc.server if is_refused else None,
            notes=[] if is_refused else [flaw],
            state="Nothing was run.",
            hint="connect as the role that migrates (PGOPTIONS='-c role=…' becomes one); an "
            "application does not need the ledger. Its owner has to be this role, one that it is a "
            "member of, the database's owner or a superuser: what a ledger says is run. If it "
            "is not yours, find out who made it, and drop it",
        )
    raise PlanError(
        flaw,
        state="Nothing was run, and nothing of it was read.",
        hint="a ledger is ordinary tables, without rules, triggers and row level security. If this "
        "is not yours, find out who made it, and drop it",
    )


_READ: Mapping[str, Callable[[str], object]] = {
    "state": State,
    "applied_at": datetime.fromisoformat,
    "duration_ms": float,
    "checks": int,
    "has_rollback": "true".__eq__,
    "statements_done": int,
    "is_recorded": "true".__eq__,
    "order": int,
}
"""How the columns of the query `rows` become the fields of the same names; the others are text."""
_FIELDS = tuple(field.name for field in fields(Applied))


def judged_sql(*tables: str, of_anyone: bool = False) -> str:
    """Return the statements that lock tables of a ledger, and fail where it is not trusted."""
    oids = ", ".join(f"to_regclass({literal(table)})" for table in tables)
    return f"{_lock_sql(*tables)};\n{_trust_sql(f'c.oid in ({oids})', of_anyone=of_anyone)}"


def read_of_another_tool(session: Session, table: str, query: str) -> Result:
    """Return the rows of another tool's ledger, where reading it runs nobody else's code.

    Args:
        session: where.
        table: qualified and quoted.
        query: that reads it.

    Raises:
        PlanError: it is not to be believed, or the role may not read it.
    """
    return _ask(session, f"{judged_sql(table, of_anyone=True)};\n{query}")[-1]


def read_yoyo(session: Session) -> list[Applied]:
    """Return what stock yoyo has recorded in a database that has no ledger of ours yet.

    Raises:
        PlanError: it is not to be believed, or the role may not read it.
    """
    found = _look(session).yoyo
    if found is None:
        return []
    migration, _ = found
    rows = own_query("ledger", "yoyo_rows", table=migration)
    result = _ask(session, f"{judged_sql(migration)};\n{rows}")[-1]
    ids = [row[0] for row in result.rows if row[0]]
    return [Applied(name, State.APPLIED, order=place) for place, name in enumerate(ids)]


def read_log(session: Session) -> Result | None:
    """Return the log of what was done, where there is one: the block `history` says in what form.

    Raises:
        PlanError: it is not to be believed, or the role may not read it.
    """
    found = _look(session)
    if found.has_ledger:
        tables = [f"pgvouch.{name}" for name in ("migration", "acceptance", "_yoyo_log")]
        return _ask(session, f"{judged_sql(*tables)};\n{own_query('ledger', 'history')}")[-1]
    if found.yoyo is None:
        return None
    _, log = found.yoyo
    return _ask(session, f"{judged_sql(log)};\n{own_query('ledger', 'yoyo_history', log=log)}")[-1]


@dataclass(frozen=True, slots=True)
class _Found:
    """What a database holds that has no ledger of ours yet, or has one."""

    has_schema: bool
    has_ledger: bool
    yoyo: tuple[Raw, Raw] | None
    """The tables of stock yoyo: of migrations and of the log, qualified and quoted."""


def _look(session: Session) -> _Found:
    """Look for our ledger, and for stock yoyo's where yoyo looks: in the session's search_path.

    Raises:
        PlanError: it is not to be believed.
    """
    # Qualified, and without an operator, for this one statement has to see the session's path.
    (path,) = session.run("select pg_catalog.to_regclass('_yoyo_migration')::pg_catalog.oid")
    own = "n.nspname = 'pgvouch' and c.relname = '_yoyo_migration'"
    wanted = f"c.oid = {path.rows[0][0] or 0} or {own}"
    beside = (
        "c.relname = '_yoyo_log' and c.relnamespace in "
        f"(select c.relnamespace from pg_class as c, pg_namespace as n where {wanted})"
    )
    names = own_query("ledger", "find_yoyo", wanted=Raw(wanted))
    there = own_query("ledger", "has_ledger")
    _, ours, yoyo = _ask(session, f"{_trust_sql(f'{wanted} or {beside}')};\n{there};\n{names}")
    has_schema, has_ledger = (value == "t" for value in ours.rows[0])
    tables = (Raw(yoyo.rows[0][0]), Raw(yoyo.rows[0][1])) if yoyo.rows else None
    return _Found(has_schema, has_ledger, tables)


def ensure(session: Session) -> int | None:
    """Create the ledger where there is none, in a transaction of its own, and in one message.

    When two runners create it at once, only one of them gets the name. The other one does not wait
    in the server: a waiting transaction holds a snapshot, and CREATE INDEX CONCURRENTLY waits for
    those.

    Returns:
        The number of migrations taken over from stock yoyo, or None where another runner creates
        it at this moment.

    Raises:
        QueryError: the role may not create it.
        PlanError: a schema or tables of its name are not to be believed.
    """
    found = _look(session)
    if found.has_ledger:
        return 0
    try:
        taken_over = _create(session, found)
    except QueryError as exc:
        session.roll_back()
        if exc.server.sqlstate == UNTRUSTED:
            refuse_stranger(exc)
        if exc.server.sqlstate == _NAME_HELD or (
            exc.server.sqlstate in _CREATED_BY_ANOTHER and read(session) is not None
        ):
            return None
        raise
    finally:
        session.roll_back()
    return taken_over


def _create(session: Session, found: _Found) -> int:
    """Create the ledger, and take over what stock yoyo has recorded.

    Returns:
        The number of migrations taken over.
    """
    from pgvouch.ledger.yoyo import VouchBackend, in_our_words, tables_sql

    begin = [
        "begin isolation level read committed read write",
        read_only.REFUSE,
        OWN_PATH,
        f"set local lock_timeout = '{_CREATE_TIMEOUT}'",
    ]
    if not found.has_schema:
        # With IF NOT EXISTS the right to create a schema would be asked for where there is one.
        begin += ["create schema pgvouch", *tables_sql(session.connection)]
    else:  # it may hold tables of yoyo's, which yoyo brings up to date
        session.run("\n;".join(begin))
        begin = []
        with in_our_words(session.connection):
            VouchBackend(session.connection).create_tables()
    taken_over = [_take_over_sql(*found.yoyo)] if found.yoyo else []
    counted = "select count(*) from pgvouch.migration"
    rest = [OWN_PATH, own_sql("ledger/schema").rstrip().removesuffix(";"), *taken_over, counted]
    results = session.run("\n;".join([*begin, *rest, "commit"]))
    return int(results[-2].rows[0][0] or 0)


def _take_over_sql(migration: Raw, log: Raw) -> str:
    # Where its tables are in our schema already, they are the ledger's.
    is_ours = migration.startswith("pgvouch.")
    copied = own_query("ledger", "copy_yoyo", migration=migration, log=log)
    taken_over = own_query("ledger", "take_over_yoyo", migration=migration)
    return ";\n".join([judged_sql(migration, log), *([] if is_ours else [copied]), taken_over])


@dataclass(frozen=True, slots=True)
class Stored:
    """The rollback that the ledger keeps of a migration."""

    sql: str | None = None
    irreversible: str | None = None
    """Why it may not be run."""
    delta: str | None = None
    """What the migration did to the catalog, a line for each object; None: it is not known."""


def forget_sql(yoyo: tuple[str, str], migration_id: str, *, xid: str) -> str:
    """Return the statement that removes a migration.

    Args:
        yoyo: yoyo's own statements.
        migration_id: the migration.
        xid: the transaction in which alone it may run.
    """
    unmark, log = map(Raw, yoyo)
    return own_query("ledger", "forget", unmark=unmark, log=log, id=migration_id, xid=xid)


def record_sql(yoyo: tuple[str, str], *, xid: str, **columns: object) -> str:
    """Return the statement that records a migration.

    Args:
        yoyo: yoyo's own statements.
        xid: the transaction in which alone it may run.
        columns: a value for each of the columns that the block `record` names.
    """
    mark, log = map(Raw, yoyo)
    return own_query(
        "ledger", "record", mark=mark, log=log, xid=xid, tool_version=__version__, **columns
    )


def rollback_texts(session: Session, ids: Sequence[str]) -> tuple[dict[str, Stored], bool]:
    """Return the rollbacks that were stored with migrations, by identifier.

    Returns:
        These, and whether repeatable migrations were ever run here.
    """
    texts, runs = session.ask(
        own_query("ledger", "rollback_texts", ids=list(ids))
        + ";\n"
        + own_query("ledger", "has_repeatables")
    )
    return {str(row[0]): Stored(*row[1:]) for row in texts.rows}, runs.rows == (("t",),)


def accept_sql(row: Applied, checksum: str, why: str) -> str:
    """Return the statements that record a changed file as harmless."""
    return own_query(
        "ledger", "accept", id=row.id, recorded=row.checksum, accepted=checksum, why=why
    )
