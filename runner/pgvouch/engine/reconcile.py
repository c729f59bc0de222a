"""What became of a statement outside of a transaction block: done, not done, or unknown.

Such a statement has no transaction to be rolled back with. What the server answered is known; only
where no answer came is the catalog asked, and what it says now is compared with what it said when
the statement was announced. What CONCURRENTLY leaves half done is cleared away first.
"""

from dataclasses import dataclass
from enum import Enum

from pgvouch.engine.invalid_index import (
    drop_invalid,
    drop_leftover,
    index_of_name,
    index_where,
    is_as_written,
    oid_of,
    reindex_leftovers,
)
from pgvouch.files.transaction_block import Kind, Outside
from pgvouch.postgres.session import Session
from pgvouch.sqltext.own import Raw, own_query


class Landed(Enum):
    """Whether what a statement does is in the database."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What became of a statement, and what was done about it."""

    landed: Landed
    notes: tuple[str, ...] = ()


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
        index = index_of_name(session, found, anywhere=True)
        return index.oid if index else ""
    if found.kind is Kind.DROP_INDEX:
        return oid_of(session, *found.names[0]) or ""
    if found.kind is Kind.DETACH:
        family = _family(session, found)
        return " ".join(family) if _partition(session, *family) else ""
    return ""


def reconcile(
    session: Session, found: Outside, statement: str, before: str | None, marker: str = ""
) -> Reconciled:
    """Find out what became of a statement to which no answer came, and clear away what it left.

    Args:
        session: idle; not in a transaction.
        found: the statement.
        statement: its text.
        before: what `observe` returned when it was announced; None where that is unknown.
        marker: a comment by which other runners know that we are alive.

    Raises:
        MigrationError: another session is building the same index right now.
        QueryError: clearing away failed.
    """
    cleared = clear_away(session, found, marker)
    if cleared.landed is Landed.YES or cleared.notes:
        return cleared
    if found.kind in {Kind.REINDEX, Kind.IDEMPOTENT}:
        return Reconciled(Landed.NO)
    if found.kind is Kind.CREATE_INDEX:
        return _of_valid_index(session, found, statement, before)
    if found.kind is Kind.OTHER or before is None:
        return Reconciled(Landed.UNKNOWN)
    # There was nothing that it could have been done to: PostgreSQL says so again.
    is_gone = bool(before) and not _is_still_there(session, found.kind, before)
    return Reconciled(Landed.YES if is_gone else Landed.NO)


def clear_away(session: Session, found: Outside, marker: str = "") -> Reconciled:
    """Take away what a statement has left half done, or finish it.

    Args:
        session: idle; not in a transaction.
        found: the statement.
        marker: a comment by which other runners know that we are alive: it may take long.

    Returns:
        NO, or YES where it has been finished.

    Raises:
        MigrationError: another session is building the same index right now.
        QueryError: it failed.
    """
    if found.kind is Kind.CREATE_INDEX:
        return Reconciled(Landed.NO, drop_invalid(session, found, marker))
    if found.kind is Kind.REINDEX:
        left = reindex_leftovers(session, found)
        return Reconciled(Landed.NO, tuple(drop_leftover(session, each, marker) for each in left))
    if found.kind is Kind.DETACH and (family := _pending(session, found)):
        parent, partition = family
        session.run(f"{marker} alter table {parent} detach partition {partition} finalize")
        return Reconciled(Landed.YES, (f"finalized the interrupted detach of {partition}",))
    return Reconciled(Landed.NO)


def left_behind(session: Session, found: Outside) -> tuple[str, ...]:
    """Say what a statement has left half done that the server has refused; nothing is changed.

    Args:
        session: idle; not in a transaction.
        found: the statement.

    Returns:
        A sentence for each, with what becomes of it.
    """
    if found.kind is Kind.CREATE_INDEX:
        index = index_of_name(session, found)
        if index and not (index.is_valid or index.builder):
            return (f"{index.name} is left invalid: it is dropped and built anew by the next run",)
    if found.kind is Kind.DROP_INDEX:
        oid = oid_of(session, *found.names[0])
        index = index_where(session, f"c.oid = {oid}") if oid else None
        if index and not index.is_valid:
            return (f"{index.name} is still there, and invalid: the same statement drops it",)
    if found.kind is Kind.REINDEX:
        left = reindex_leftovers(session, found)
        return tuple(f"{name} is left over: it is dropped by the next run" for name, _ in left)
    if found.kind is Kind.DETACH and (family := _pending(session, found)):
        return (f"the detach of {family[1]} is half done: it is finalized by the next run",)
    return ()


def _of_valid_index(
    session: Session, found: Outside, statement: str, before: str | None
) -> Reconciled:
    index = index_of_name(session, found)
    if index is None or index.oid == before:
        return Reconciled(Landed.NO)  # PostgreSQL says itself that the name is taken, if it is
    if before is None:
        return Reconciled(Landed.UNKNOWN)
    if is_as_written(session, index, statement):
        return Reconciled(Landed.YES)
    note = f"{index.name} has come up since, and it is not seen to be what the statement makes"
    return Reconciled(Landed.UNKNOWN, (note,))


def _is_still_there(session: Session, kind: Kind, before: str) -> bool:
    if kind is Kind.DROP_INDEX:
        return index_where(session, f"c.oid = {before}") is not None
    parent, partition = before.split()
    return _partition(session, parent, partition) is not None


def _pending(session: Session, found: Outside) -> tuple[str, str] | None:
    """Return the names of a parent and a partition between which a detach is half done."""
    row = _partition(session, *_family(session, found))
    return (row[1], row[2]) if row and row[0] == "t" else None


def _family(session: Session, found: Outside) -> tuple[str, str]:
    assert found.relation is not None
    assert found.name is not None
    parent = oid_of(session, found.schema, found.relation)
    return parent or "0", oid_of(session, found.name_schema, found.name) or "0"


def _partition(session: Session, parent: str, partition: str) -> tuple[str, str, str] | None:
    """Return whether a detach is pending, and both names; None where it is no partition of it."""
    (result,) = session.ask(
        own_query("engine", "partition_state", parent=Raw(parent), partition=Raw(partition))
    )
    return tuple(map(str, result.rows[0])) if result.rows else None  # type: ignore[return-value]
