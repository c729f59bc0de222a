"""Rows that a rollback would lose: found by running it in a savepoint, not by reading its text.

The rollback is run, and the catalog says which tables and columns are gone, which tables have
another file, and from which rows were deleted. If there are any, it is taken back to the savepoint,
the rows are counted, and it is run again only if there are none, or if they may be lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pgvouch import sql
from pgvouch.db import QueryError, Session
from pgvouch.errors import DataLossError
from pgvouch.message import Message, literal
from pgvouch.wire import Result

_POINT = "pgvouch_rollback"
_BACK = f"rollback to savepoint {_POINT}"
MOST = 1_000_000
"""Counting stops there: the tables are locked while it lasts."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows, or values of a column, that would be gone."""

    what: str
    """The table or column, qualified and quoted."""
    how: str
    """dropped, truncated, or deleted from."""
    count: int | None
    """None where row security hides the rows from this role."""

    def __str__(self) -> str:
        word = "values" if self.how == "column" else "rows"
        if self.count is None:
            return f"{self.what}: {word} that row security hides from this role"
        if self.count == 1:
            word = word.removesuffix("s")
        many = f"more than {MOST:,}" if self.count > MOST else f"{self.count:,}"
        ways = {
            "table": "the table is dropped",
            "column": "the column is dropped",
            "rows": "deleted",
        }
        return f"{self.what}: {many} {word} ({ways[self.how]})"


@dataclass(frozen=True, slots=True)
class _Table:
    """A table ahead of the rollback."""

    file: str
    name: str
    deleted: int
    """How many rows this transaction has deleted from it already."""


def add_savepoint(message: Message) -> None:
    """Append what has to be known ahead of a rollback, and the point to go back to."""
    message.add(sql.load("tables"), name="tables").add(f"savepoint {_POINT}")


def settle(
    session: Session,
    message: Message,
    results: Sequence[Result],
    again: Callable[[], None],
    *,
    identifier: str,
    discard: bool,
) -> tuple[Loss, ...]:
    """Find out what the rollback that has just run has lost, and take it back if that is too much.

    Args:
        session: in the rollback's transaction.
        message: the message to which the savepoint was added.
        results: its results.
        again: runs the rollback once more.
        identifier: the migration.
        discard: whether rows may be lost.

    Returns:
        What is lost, where it may be.

    Raises:
        DataLossError: naming what would be lost; the caller ends the transaction.
    """
    rows = message.results_of("tables", results)[0].rows
    tables = {str(row[0]): _Table(str(row[1]), str(row[2]), int(row[3] or 0)) for row in rows}
    suspects = _suspects(session, tables)
    if not suspects:
        return ()
    session.run(_BACK)
    losses = tuple(loss for suspect in suspects if (loss := _count(session, tables, suspect)))
    if losses and not discard:
        raise DataLossError(
            f"the rollback of {identifier} would lose data",
            notes=[str(loss) for loss in losses],
            hint="save them first (pg_dump --table), then the same command with --discard-data",
        )
    session.run(_BACK)
    again()
    return losses


@dataclass(frozen=True, slots=True)
class _Suspect:
    how: str
    oid: str
    column: str = ""
    """Its number."""
    deleted: int = 0
    left: int | None = None
    """How many rows are there after the rollback."""


def _suspects(session: Session, tables: dict[str, _Table]) -> list[_Suspect]:
    (result,) = session.run(sql.load("losses"))
    there = {row[1]: row for row in result.rows if row[0] == "table"}
    found = [_Suspect("table", oid) for oid in tables if oid not in there]
    for oid, table in tables.items():
        if row := there.get(oid):
            deleted = int(row[3] or 0) - table.deleted
            if deleted or row[2] != table.file:
                left = _rows(session, f"only {_name_now(session, oid)}")
                # A row that moves to another partition is deleted from its own.
                is_partition = row[4] == "t"
                found.append(_Suspect("rows", oid, "", 0 if is_partition else deleted, left))
    found += [
        _Suspect("column", str(row[1]), str(row[2]))
        for row in result.rows
        if row[0] == "column" and row[1] in tables
    ]
    return found


def _count(session: Session, tables: dict[str, _Table], suspect: _Suspect) -> Loss | None:
    name = tables[suspect.oid].name
    if suspect.how == "column":
        column = _column(session, suspect)
        if column is None:  # it was dropped long before
            return None
        count = _rows(session, f"only {name} where {column} is not null")
        return None if count == 0 else Loss(f"{name}.{column}", "column", count)
    count = _rows(session, f"only {name}")
    if suspect.how == "table":
        return None if count == 0 else Loss(name, "table", count)
    if count is None or suspect.left is None:
        return Loss(name, "rows", None)
    fewer = max(count - suspect.left, suspect.deleted)
    return Loss(name, "rows", fewer) if fewer > 0 else None


def _rows(session: Session, source: str) -> int | None:
    try:
        results = session.run(
            "savepoint pgvouch_count; set local row_security = off; "
            f"select count(*) from (select from {source} limit {MOST + 1}) as counted; "
            "rollback to savepoint pgvouch_count"
        )
    except QueryError as exc:
        if exc.server.sqlstate != "42501":
            raise
        session.run("rollback to savepoint pgvouch_count")
        return None
    return int(results[2].rows[0][0] or 0)


def _name_now(session: Session, oid: str) -> str:
    (result,) = session.run(
        "select pg_catalog.format('%I.%I', n.nspname, c.relname) from pg_catalog.pg_class as c "
        f"join pg_catalog.pg_namespace as n on n.oid = c.relnamespace where c.oid = {oid}"
    )
    return str(result.rows[0][0])


def _column(session: Session, suspect: _Suspect) -> str | None:
    (result,) = session.run(
        "select pg_catalog.quote_ident(attname) from pg_catalog.pg_attribute "
        f"where attrelid = {suspect.oid} and attnum = {literal(int(suspect.column))} "
        "and not attisdropped and attgenerated = ''"
    )
    return str(result.rows[0][0]) if result.rows else None
