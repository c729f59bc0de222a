"""An invalid index, left half done by CONCURRENTLY: recognised, and dropped to be built again.

As PostgreSQL's documentation says:
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY.

Names that the author wrote are looked up as the author's session does, by one qualified call; all
that follows goes by oid.
"""

from dataclasses import dataclass

from psycopg.sql import Identifier

from pgvouch.errors import MigrationError
from pgvouch.files.transaction_block import Outside, on_empty_copy
from pgvouch.postgres.session import OWN_PATH, QueryError, Session
from pgvouch.sqltext.own import Raw, literal, own_query

_NOT_ALLOWED = "42501"


@dataclass(frozen=True, slots=True)
class Index:
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


def drop_invalid(session: Session, found: Outside, marker: str) -> tuple[str, ...]:
    """Drop the index that CREATE INDEX CONCURRENTLY has left invalid, if it has.

    Args:
        session: idle; not in a transaction.
        found: the statement.
        marker: a comment by which other runners know that we are alive: it may take long.

    Returns:
        A sentence on what was dropped; none where nothing was.

    Raises:
        MigrationError: another session is building the same index right now.
        QueryError: it failed.
    """
    index = index_of_name(session, found)
    if index is None:
        return ()
    if index.builder:
        raise MigrationError(
            f"the index {index.name} is being built by pid {index.builder}",
            hint=f"wait for it, or end it: select pg_cancel_backend({index.builder})",
        )
    if index.is_valid:
        return ()
    session.run(f"{marker} drop index concurrently {index.name}")
    return (f"dropped {index.name}: an unfinished build had left it invalid",)


def is_as_written(session: Session, index: Index, statement: str) -> bool:
    """Let PostgreSQL say whether an index is what a statement makes.

    The same index is made on an empty copy of the table, in a transaction that is rolled back:
    expressions and predicates are kept otherwise than they were written, and defaults left out.
    """
    # The copy has the table's name, for expressions may be written with it.
    copy = f"pg_temp.{index.table}"
    original = f"{index.schema}.{index.table}"
    query = own_query("engine", "index_definitions", index=Raw(index.oid), copy=copy)
    try:
        results = session.run(
            "begin isolation level read committed read write;\n"
            f"create temporary table {index.table} (like {original});\n"
            f"{on_empty_copy(statement)}\n;{OWN_PATH};\n{query}"
        )
    except QueryError:  # no right to temporary tables, an event trigger: it stays unknown
        return False
    finally:
        session.roll_back()
    there, asked = results[-1].rows[0]
    return there == (asked or "").replace(f" ON {copy} ", f" ON {original} ", 1)


def index_of_name(session: Session, found: Outside, *, anywhere: bool = False) -> Index | None:
    """Return the index of the name that is to be made; `anywhere`: whatever has that name."""
    assert found.relation is not None
    table = oid_of(session, found.schema, found.relation)
    if table is None or found.name is None:
        return None
    # `create index` puts an index into the schema of its table, whatever the search_path is.
    schema = f"(select t.relnamespace from pg_catalog.pg_class as t where t.oid = {table})"
    index = index_where(session, f"c.relname = {literal(found.name)} and c.relnamespace = {schema}")
    return index if index and (anywhere or index.table_oid == table) else None


def index_where(session: Session, which: str) -> Index | None:
    """Return the relation that a condition on pg_class (c) picks, None where there is none."""
    (result,) = session.ask(own_query("engine", "index_state", which=Raw(which)))
    if not result.rows:
        return None
    oid, name, table_oid, schema, table, is_valid, builder = result.rows[0]
    return Index(oid or "", name or "", table_oid, schema, table, is_valid == "t", builder)


def reindex_leftovers(session: Session, found: Outside) -> list[tuple[str, bool]]:
    """Return names of the indexes that REINDEX has left, and whether each is of a TOAST table."""
    (result,) = session.ask(
        own_query("engine", "reindex_leftovers", scope=Raw(_reindexed(session, found)))
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
    relation = oid_of(session, found.schema, found.relation) or "0"
    members = (
        f"select {relation} union all select relid from pg_catalog.pg_partition_tree({relation})"
    )
    if found.target == "table":
        return f"exists (select from ({members}) as m (oid) where m.oid in (t.oid, o.oid))"
    return (
        "t.oid in (select x.indrelid from pg_catalog.pg_index as x where x.indexrelid in "
        f"({members}))"
    )


def drop_leftover(session: Session, leftover: tuple[str, bool], marker: str) -> str:
    """Drop an index that REINDEX CONCURRENTLY has left, if we may; return a sentence on it.

    Raises:
        QueryError: it failed.
    """
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


def oid_of(session: Session, schema: str | None, name: str) -> str | None:
    """Look a name up as the author's statement does, along its search_path."""
    parts = (schema, name) if schema else (name,)
    written = literal(Identifier(*parts).as_string(None))
    try:
        (result,) = session.run(f"select pg_catalog.to_regclass({written})::pg_catalog.oid")
    except QueryError:
        return None
    return result.rows[0][0]
