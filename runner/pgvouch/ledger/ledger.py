"""Reads the ledger's rows, and gives the SQL that writes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from pgvouch import __version__
from pgvouch.errors import ConnectError, PlanError
from pgvouch.ledger.rows import Applied, State
from pgvouch.postgres import read_only
from pgvouch.postgres.result import Result
from pgvouch.postgres.session import OWN_PATH, QueryError, Session
from pgvouch.sqltext.own import Raw, literal, own_query, own_sql

Row = tuple[str | None, ...]
VERSION = 1
UNTRUSTED = "PGV06"
"""Raised by the block `trust`."""
UNSURE = "unsure"
"""Said by the block `is_plain`."""
_LOOK_TIMEOUT = "5s"
_CREATE_TIMEOUT = "100ms"
_NO_LEDGER = {"3F000", "42P01"}  # no such schema, no such table
_NAME_HELD = "55P03"  # by another runner that has not committed yet
_NOT_LOCKED = {"42P01", "42809", "42501", "55P03"}  # no table, no right to it, locked by others
_CREATED_BY_ANOTHER = {"42P06", "42P07", "42710", "23505"}


def read(session: Session, *, of_anyone: bool = False, fully: bool = False) -> list[Applied] | None:
    """Return the rows of the ledger in the order of application, or None where there is none.

    Args:
        session: where.
        of_anyone: also believe a ledger that belongs to an unrelated role: for commands that
            only wait, and run nothing of what it says.
        fully: do not try first whether it can be believed at a glance.

    Raises:
        PlanError: it is not to be believed, a newer pgvouch has made it, or the role may not read
            it.
    """
    # A role that only waits is hardly ever the owner; what fails ends a transaction.
    quickly = session.is_idle and not (fully or of_anyone)
    asked = read_sql(quickly=quickly, of_anyone=of_anyone, in_transaction=not session.is_idle)
    try:
        results = session.ask(asked)
    except QueryError as exc:
        if exc.word == UNSURE:
            return read(session, fully=True)
        if exc.server.sqlstate in _NOT_LOCKED and session.is_idle:
            # A ledger that is not to be believed is told first; without its schema there is none.
            _ask(session, _trust_sql(own_query("ledger", "of_ledger"), of_anyone=of_anyone))
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
    return rows_of(results)


def read_sql(
    *, quickly: bool = False, of_anyone: bool = False, in_transaction: bool = False
) -> str:
    """Return the statements of which the last give the rows of a ledger that is to be believed.

    Args:
        quickly: fail with the word `UNSURE` where it takes longer to find that out.
        of_anyone: as for `read`.
        in_transaction: whether they run in one that holds the runners' lock. Otherwise they are one
            of their own, whose snapshot is taken behind the locks.
    """
    whole = _trust_sql(own_query("ledger", "of_ledger"), of_anyone=of_anyone)
    quick = own_query("ledger", "is_plain", oids=Raw(own_query("ledger", "relations")))
    alone = [] if in_transaction else ["set transaction isolation level repeatable read"]
    hold = own_query("ledger", "hold", timeout=_LOOK_TIMEOUT)
    return ";\n".join([*alone, hold, quick if quickly else whole, *rows_sql()])


def copy_sql() -> str:
    """Return the statements that copy a ledger, as one transaction, and say whose it is.

    An index, a default or a constraint with a function of somebody's is passed over, for a COPY
    runs none of them: this is for whoever only looks.
    """
    hold = own_query("ledger", "hold", timeout=_LOOK_TIMEOUT)
    begin = "set transaction isolation level repeatable read, read only"
    return ";\n".join([begin, hold, own_query("ledger", "copies")])


def rows_sql() -> list[str]:
    """Return the statements that read a ledger; they have to see it at one moment."""
    return own_query("ledger", "rows").split(";\n")


def rows_of(results: Sequence[Result]) -> list[Applied]:
    """Return the ledger's rows, in the order of application, from what `rows_sql` gave.

    What stock yoyo has applied to our ledger counts, too. Its place is behind those of ours that
    were there at that time: a rollback goes backwards through the places. What it has rolled back
    is gone, though our row is still there.

    Raises:
        PlanError: a newer pgvouch has made it.
    """
    versions, ours, theirs = results[-3:]
    if (version := max((int(row[0] or 0) for row in versions.rows), default=0)) > VERSION:
        raise PlanError(
            f"the ledger is of version {version}, and this pgvouch {__version__} knows {VERSION}",
            state="Nothing was run.",
            hint="use the newer pgvouch that has been here before",
        )
    recorded = {str(name): at and f"{at}+00" for name, at in theirs.rows}
    rows = enumerate(_in_order(ours.rows, recorded), start=1)
    return [Applied(*[*map(_value, _READ, row), row[0] in recorded, at]) for at, row in rows]


def _value(read: Callable[[str], Any], value: str | None) -> Any:
    return None if value is None else read(value)


def _in_order(ours: Sequence[Row], recorded: Mapping[str, str | None]) -> list[Row]:
    """Return our rows that count, and one for each that only yoyo's table has."""
    placed = [
        ((int(row[-1] or 0), False, "", str(row[0])), row)
        for row in ours
        if row[0] in recorded or row[1] in {"incomplete", "undoing"}
    ]
    for name in recorded.keys() - {row[0] for row in ours}:
        at = recorded[name] or ""
        # Times of one zone in this form compare as text.
        behind = max((int(row[-1] or 0) for row in ours if str(row[3]) <= at), default=0)
        row = (name, "applied", None, at or None, *[None] * 3, "f", *[None] * 3)
        placed.append(((behind, True, at or "~", name), row))
    return [row for _, row in sorted(placed, key=itemgetter(0))]


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


_READ: tuple[Callable[[str], Any], ...] = (
    *(str, State, str, datetime.fromisoformat, str, float, int, "t".__eq__, int, str),
)
"""How the columns of the block `rows` become the fields of Applied; the last one is the place."""


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
    (path,) = session.run(own_query("ledger", "yoyo_in_path"))
    if path.rows == ((None, None),):
        return _Found(has_schema=False, has_ledger=False, yoyo=None)
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
        return _create(session, found)
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
