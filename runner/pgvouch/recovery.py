"""An interrupted statement outside a transaction: done, to be run again, or unknown.

Such a statement has no transaction to be rolled back with, so the catalog is asked what became of
it. What CONCURRENTLY leaves half done is taken away first, as PostgreSQL's documentation says:
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY.
"""

from dataclasses import dataclass
from enum import Enum

from psycopg.sql import Identifier

from pgvouch import sql
from pgvouch.db import QueryError, Session
from pgvouch.errors import MigrationError
from pgvouch.message import literal
from pgvouch.outside import Kind, Outside


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


def settle(session: Session, found: Outside, *, interrupted: bool) -> Finding:
    """Find out what is to be done with a statement, and clear away what it left half done.

    Args:
        session: idle; not in a transaction.
        found: the statement.
        interrupted: whether it was begun before, and nobody knows how it ended.

    Raises:
        MigrationError: somebody is building the same index right now.
        QueryError: clearing away failed.
    """
    if found.kind is Kind.CREATE_INDEX:
        return _settle_index(session, found, interrupted=interrupted)
    if not interrupted:
        return Finding(Next.RUN)
    if found.kind is Kind.DROP_INDEX:
        schema, name = found.names[0]
        is_there = _exists(session, _name(schema, name))
        return Finding(Next.RUN if is_there else Next.DONE)
    if found.kind is Kind.REINDEX:
        return _settle_reindex(session, found)
    if found.kind is Kind.DETACH:
        return _settle_detach(session, found)
    return Finding(Next.RUN if found.kind is Kind.IDEMPOTENT else Next.UNKNOWN)


def _settle_index(session: Session, found: Outside, *, interrupted: bool) -> Finding:
    assert found.relation is not None
    table = _name(found.schema, found.relation)
    if found.name is None or not _exists(session, table):
        return Finding(Next.RUN)
    query = sql.load("index_state").replace("{table}", literal(table))
    (result,) = session.run(query.replace("{name}", literal(found.name)))
    if not result.rows:
        return Finding(Next.RUN)
    is_valid, is_of_table, name, builder = result.rows[0]
    if is_of_table != "t":
        return Finding(Next.RUN)  # PostgreSQL says itself that the name is taken
    if builder:
        raise MigrationError(
            f"the index {name} is being built by pid {builder}",
            hint=f"wait for it, or end it: select pg_cancel_backend({builder})",
        )
    if is_valid == "t":
        return Finding(Next.DONE if interrupted else Next.RUN)
    session.run(f"drop index concurrently {name}")
    return Finding(Next.RUN, (f"dropped {name}: an interrupted build had left it invalid",))


def _settle_reindex(session: Session, found: Outside) -> Finding:
    scope = "true"
    if found.target == "schema":
        scope = f"n.nspname = {literal(found.schema)}"
    elif found.relation is not None:
        relation = f"{literal(_name(found.schema, found.relation))}::pg_catalog.regclass"
        table = f"(select x.indrelid from pg_catalog.pg_index as x where x.indexrelid = {relation})"
        scope = f"i.indrelid = {relation if found.target == 'table' else table}"
    (result,) = session.run(sql.load("reindex_leftovers").replace("{scope}", scope))
    names = [str(row[0]) for row in result.rows]
    for name in names:
        session.run(f"drop index concurrently {name}")
    return Finding(
        Next.RUN, tuple(f"dropped {name}: left by an interrupted REINDEX" for name in names)
    )


def _settle_detach(session: Session, found: Outside) -> Finding:
    assert found.relation is not None
    assert found.name is not None
    parent = _name(found.schema, found.relation)
    partition = _name(found.name_schema, found.name)
    query = sql.load("partition_state").replace("{parent}", literal(parent))
    (result,) = session.run(query.replace("{partition}", literal(partition)))
    if not result.rows:
        return Finding(Next.DONE)
    if result.rows[0][0] != "t":
        return Finding(Next.RUN)
    session.run(f"alter table {parent} detach partition {partition} finalize")
    return Finding(Next.DONE, (f"finalized the interrupted detach of {partition}",))


def _exists(session: Session, name: str) -> bool:
    try:
        (result,) = session.run(f"select pg_catalog.to_regclass({literal(name)}) is not null")
    except QueryError:
        return False
    return result.rows[0][0] == "t"


def _name(schema: str | None, name: str) -> str:
    parts = (schema, name) if schema else (name,)
    return Identifier(*parts).as_string(None)
