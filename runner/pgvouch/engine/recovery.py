"""An interrupted statement outside a transaction: done, to be run again, or unknown.

Such a statement has no transaction to be rolled back with. What the server answered is known; only
where no answer came is the catalog asked, and what it says now is compared with what it said when
the statement was announced. What CONCURRENTLY leaves half done is taken away first, as PostgreSQL's
documentation says:
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY.

Names that the author wrote are looked up as the author's session does, by one qualified call; all
that follows goes by oid.
"""

from dataclasses import dataclass
from enum import Enum

from psycopg.sql import Identifier

from pgvouch.errors import MigrationError
from pgvouch.files.transaction_block import Kind, Outside, on_empty_copy
from pgvouch.postgres.message import literal
from pgvouch.postgres.session import OWN_PATH, QueryError, Session
from pgvouch.sqltext.own import own_sql

_NOT_ALLOWED = "42501"


class Next(Enum):
    """What is to be done with a statement."""

    RUN = "run"
    DONE = "done"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a statement, and what was done about it."""

    next: Next
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Index:
    """What the catalog says of the relation that has the name of an index."""

    oid: str
    name: str
    """Qualified; it and the next two names are quoted."""
    table_oid: str | None
    schema: str | None
    table: str | None
    """Its table's, where it is an index."""
    is_valid: bool
    builder: str | None
    """The pid of the backend that is building it right now."""


def observe(session: Session, found: Outside) -> str:
    """Return what the catalog says before a statement is run: the oids that it is about.

    Args:
        session: idle; not in a transaction.
        found: the statement.

    Returns:
        Of CREATE INDEX and DROP INDEX: the index of that name. Of DETACH: the parent and its
        partition. Empty where there is none.
    """
    if found.kind is Kind.CREATE_INDEX:
        index = _index_of_name(session, found, anywhere=True)
        return index.oid if index else ""
    if found.kind is Kind.DROP_INDEX:
        return _oid(session, *found.names[0]) or ""
    if found.kind is Kind.DETACH:
        family = _family(session, found)
        return " ".join(family) if _partition(session, *family) else ""
    return ""


def settle(
    session: Session, found: Outside, statement: str, before: str | None, marker: str = ""
) -> Finding:
    """Find out what became of a statement to which no answer came, and clear away what it left.

    Args:
        session: idle; not in a transaction.
        found: the statement.
        statement: its text.
        before: what `observe` returned when it was announced; None where nobody knows.
        marker: a comment by which other runners know that we are alive.

    Raises:
        MigrationError: somebody is building the same index right now.
        QueryError: clearing away failed.
    """
    cleared = clear_away(session, found, marker)
    if cleared.next is Next.DONE or cleared.notes:
        return cleared
    if found.kind in {Kind.REINDEX, Kind.IDEMPOTENT}:
        return Finding(Next.RUN)
    if found.kind is Kind.CREATE_INDEX:
        return _of_valid_index(session, found, statement, before)
    if found.kind is Kind.OTHER or before is None:
        return Finding(Next.UNKNOWN)
    # There was nothing that it could have been done to: PostgreSQL says so again.
    is_gone = bool(before) and not _is_still_there(session, found.kind, before)
    return Finding(Next.DONE if is_gone else Next.RUN)


def clear_away(session: Session, found: Outside, marker: str = "") -> Finding:
    """Take away what a statement has left half done, or finish it.

    Args:
        session: idle; not in a transaction.
        found: the statement.
        marker: a comment by which other runners know that we are alive: it may take long.

    Returns:
        RUN, or DONE where it has been finished.

    Raises:
        MigrationError: somebody is building the same index right now.
        QueryError: it failed.
    """
    if found.kind is Kind.CREATE_INDEX:
        return _drop_invalid(session, found, marker)
    if found.kind is Kind.REINDEX:
        left = _reindex_leftovers(session, found)
        return Finding(Next.RUN, tuple(_drop_leftover(session, each, marker) for each in left))
    if found.kind is Kind.DETACH and (family := _pending(session, found)):
        parent, partition = family
        session.run(f"{marker} alter table {parent} detach partition {partition} finalize")
        return Finding(Next.DONE, (f"finalized the interrupted detach of {partition}",))
    return Finding(Next.RUN)


def left_behind(session: Session, found: Outside) -> tuple[str, ...]:
    """Say what a statement has left half done that the server has refused; nothing is changed.

    Args:
        session: idle; not in a transaction.
        found: the statement.

    Returns:
        A sentence for each, with what becomes of it.
    """
    if found.kind is Kind.CREATE_INDEX:
        index = _index_of_name(session, found)
        if index and not (index.is_valid or index.builder):
            return (f"{index.name} is left invalid: it is dropped and built anew by the next run",)
    if found.kind is Kind.DROP_INDEX:
        oid = _oid(session, *found.names[0])
        index = _index(session, f"c.oid = {oid}") if oid else None
        if index and not index.is_valid:
            return (f"{index.name} is still there, and invalid: the same statement drops it",)
    if found.kind is Kind.REINDEX:
        left = _reindex_leftovers(session, found)
        return tuple(f"{name} is left over: it is dropped by the next run" for name, _ in left)
    if found.kind is Kind.DETACH and (family := _pending(session, found)):
        return (f"the detach of {family[1]} is half done: it is finalized by the next run",)
    return ()


def _drop_invalid(session: Session, found: Outside, marker: str) -> Finding:
    index = _index_of_name(session, found)
    if index is None:
        return Finding(Next.RUN)
    if index.builder:
        raise MigrationError(
            f"the index {index.name} is being built by pid {index.builder}",
            hint=f"wait for it, or end it: select pg_cancel_backend({index.builder})",
        )
    if index.is_valid:
        return Finding(Next.RUN)
    session.run(f"{marker} drop index concurrently {index.name}")
    return Finding(Next.RUN, (f"dropped {index.name}: an unfinished build had left it invalid",))


def _of_valid_index(
    session: Session, found: Outside, statement: str, before: str | None
) -> Finding:
    index = _index_of_name(session, found)
    if index is None or index.oid == before:
        return Finding(Next.RUN)  # PostgreSQL says itself that the name is taken, if it is
    if before is None:
        return Finding(Next.UNKNOWN)
    if _is_as_written(session, index, statement):
        return Finding(Next.DONE)
    note = f"{index.name} has come up since, and it is not seen to be what the statement makes"
    return Finding(Next.UNKNOWN, (note,))


def _is_as_written(session: Session, index: _Index, statement: str) -> bool:
    """Let PostgreSQL say whether an index is what a statement makes.

    The same index is made on an empty copy of the table, in a transaction that is rolled back:
    expressions and predicates are kept otherwise than they were written, and defaults left out.
    """
    # The copy has the table's name, for expressions may be written with it.
    copy = f"pg_temp.{index.table}"
    original = f"{index.schema}.{index.table}"
    query = own_sql("engine/index_definitions").replace("{index}", index.oid)
    try:
        results = session.run(
            "begin isolation level read committed read write;\n"
            f"create temporary table {index.table} (like {original});\n"
            f"{on_empty_copy(statement)}\n;{OWN_PATH};\n" + query.replace("{copy}", literal(copy))
        )
    except QueryError:  # no right to temporary tables, an event trigger: then nobody knows
        return False
    finally:
        session.roll_back()
    there, asked = results[-1].rows[0]
    return there == (asked or "").replace(f" ON {copy} ", f" ON {original} ", 1)


def _is_still_there(session: Session, kind: Kind, before: str) -> bool:
    if kind is Kind.DROP_INDEX:
        return _index(session, f"c.oid = {before}") is not None
    parent, partition = before.split()
    return _partition(session, parent, partition) is not None


def _index_of_name(session: Session, found: Outside, *, anywhere: bool = False) -> _Index | None:
    """Return the index of the name that is to be made; `anywhere`: whatever has that name."""
    assert found.relation is not None
    table = _oid(session, found.schema, found.relation)
    if table is None or found.name is None:
        return None
    # `create index` puts an index into the schema of its table, whatever the search_path is.
    schema = f"(select t.relnamespace from pg_catalog.pg_class as t where t.oid = {table})"
    index = _index(session, f"c.relname = {literal(found.name)} and c.relnamespace = {schema}")
    return index if index and (anywhere or index.table_oid == table) else None


def _index(session: Session, which: str) -> _Index | None:
    (result,) = session.ask(own_sql("engine/index_state").replace("{which}", which))
    if not result.rows:
        return None
    oid, name, table_oid, schema, table, is_valid, builder = result.rows[0]
    return _Index(oid or "", name or "", table_oid, schema, table, is_valid == "t", builder)


def _reindex_leftovers(session: Session, found: Outside) -> list[tuple[str, bool]]:
    """Return names of indexes, and whether each is that of a TOAST table."""
    (result,) = session.ask(
        own_sql("engine/reindex_leftovers").replace("{scope}", _reindexed(session, found))
    )
    return [(str(row[0]), row[1] == "t") for row in result.rows]


def _reindexed(session: Session, found: Outside) -> str:
    """Return the condition for a table (t, or o where t is its TOAST table) to be reindexed."""
    if found.target == "schema":
        name = literal(found.schema)
        schema = f"(select s.oid from pg_catalog.pg_namespace as s where s.nspname = {name})"
        return f"{schema} in (t.relnamespace, o.relnamespace)"
    if found.relation is None:
        return "true"
    relation = _oid(session, found.schema, found.relation) or "0"
    members = (
        f"select {relation} union all select relid from pg_catalog.pg_partition_tree({relation})"
    )
    if found.target == "table":
        return f"exists (select from ({members}) as m (oid) where m.oid in (t.oid, o.oid))"
    return (
        "t.oid in (select x.indrelid from pg_catalog.pg_index as x where x.indexrelid in "
        f"({members}))"
    )


def _drop_leftover(session: Session, leftover: tuple[str, bool], marker: str) -> str:
    name, is_toast = leftover
    try:
        session.run(f"{marker} drop index concurrently {name}")
    except QueryError as exc:
        if exc.server.sqlstate != _NOT_ALLOWED or not is_toast:
            raise
        # Its owner could, but may not look into the schema pg_toast.
        return (
            f"{name} remains, left by an interrupted REINDEX: it takes room and does no harm. A "
            f"superuser can remove it: drop index concurrently {name}"
        )
    return f"dropped {name}: left by an interrupted REINDEX"


def _pending(session: Session, found: Outside) -> tuple[str, str] | None:
    """Return the names of a parent and a partition between which a detach is half done."""
    row = _partition(session, *_family(session, found))
    return (row[1], row[2]) if row and row[0] == "t" else None


def _family(session: Session, found: Outside) -> tuple[str, str]:
    assert found.relation is not None
    assert found.name is not None
    parent = _oid(session, found.schema, found.relation)
    return parent or "0", _oid(session, found.name_schema, found.name) or "0"


def _partition(session: Session, parent: str, partition: str) -> tuple[str, str, str] | None:
    """Return whether a detach is pending, and both names; None where it is no partition of it."""
    query = own_sql("engine/partition_state").replace("{parent}", parent)
    (result,) = session.ask(query.replace("{partition}", partition))
    return tuple(map(str, result.rows[0])) if result.rows else None  # type: ignore[return-value]


def _oid(session: Session, schema: str | None, name: str) -> str | None:
    """Look a name up as the author's statement does, along its search_path."""
    parts = (schema, name) if schema else (name,)
    written = literal(Identifier(*parts).as_string(None))
    try:
        (result,) = session.run(f"select pg_catalog.to_regclass({written})::pg_catalog.oid")
    except QueryError:
        return None
    return result.rows[0][0]
