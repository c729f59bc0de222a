"""What became of a statement outside of a transaction block: done, not done, or unknown.

Such a statement has no transaction to be rolled back with. What the server answered is known; only
where no answer came is the catalog asked, and what it says now is compared with what it said when
the statement was announced. What CONCURRENTLY leaves half done is cleared away first.
"""

from collections.abc import Sequence
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


class Reconciler:
    """Finds out what became of a statement, and clears away what it has left half done."""

    def __init__(self, session: Session, found: Outside, marker: str = "") -> None:
        """Look into nothing yet.

        Args:
            session: idle; not in a transaction.
            found: the statement.
            marker: a comment by which other runners know that we are alive: clearing away may take
                long.
        """
        self.session, self.found, self.marker = session, found, marker

    def observe(self) -> str:
        """Return what the catalog says before the statement is run: the oids that it is about.

        Returns:
            Of CREATE INDEX and DROP INDEX: the index of that name. Of DETACH: the parent and its
            partition. Empty where there is none.
        """
        found = self.found
        if found.kind is Kind.CREATE_INDEX:
            index = index_of_name(self.session, found, anywhere=True)
            return index.oid if index else ""
        if found.kind is Kind.DROP_INDEX:
            return oid_of(self.session, *found.names[0]) or ""
        if found.kind is Kind.DETACH:
            family = self._family()
            return " ".join(family) if self._partition(*family) else ""
        return ""

    def reconcile(self, statement: str, before: str | None) -> Reconciled:
        """Find out what became of it when no answer came, and clear away what it left.

        Args:
            statement: its text.
            before: what `observe` returned when it was announced; None where that is unknown.

        Raises:
            MigrationError: another session is building the same index right now.
            QueryError: clearing away failed.
        """
        kind = self.found.kind
        cleared = self.clear_away()
        if cleared.landed is Landed.YES or cleared.notes:
            return cleared
        if kind in {Kind.REINDEX, Kind.IDEMPOTENT}:
            return Reconciled(Landed.NO)
        if kind is Kind.CREATE_INDEX:
            return self._of_valid_index(statement, before)
        if kind is Kind.OTHER or before is None:
            return Reconciled(Landed.UNKNOWN)
        # Where there was nothing that it could have been done to, PostgreSQL says so again.
        is_gone = bool(before) and not self._is_still_there(before)
        return Reconciled(Landed.YES if is_gone else Landed.NO)

    def clear_away(self) -> Reconciled:
        """Take away what the statement has left half done, or finish it.

        Returns:
            NO, or YES where it has been finished.

        Raises:
            MigrationError: another session is building the same index right now.
            QueryError: it failed.
        """
        session, marker = self.session, self.marker
        if self.found.kind is Kind.CREATE_INDEX:
            return Reconciled(Landed.NO, drop_invalid(session, self.found, marker))
        if self.found.kind is Kind.REINDEX:
            left = reindex_leftovers(session, self.found)
            notes = tuple(drop_leftover(session, each, marker) for each in left)
            return Reconciled(Landed.NO, notes)
        if family := self._pending():
            parent, partition = family
            session.run(f"{marker} alter table {parent} detach partition {partition} finalize")
            return Reconciled(Landed.YES, (f"finalized the interrupted detach of {partition}",))
        return Reconciled(Landed.NO)

    def left_behind(self) -> tuple[str, ...]:
        """Say what the statement has left half done, and what becomes of it; nothing is changed."""
        found, session = self.found, self.session
        if found.kind is Kind.CREATE_INDEX:
            index = index_of_name(session, found)
            if index and not (index.is_valid or index.builder):
                return (
                    f"{index.name} is left invalid: it is dropped and built anew by the next run",
                )
        if found.kind is Kind.DROP_INDEX:
            oid = oid_of(session, *found.names[0])
            index = index_where(session, f"c.oid = {oid}") if oid else None
            if index and not index.is_valid:
                return (f"{index.name} is still there, and invalid: the same statement drops it",)
        if found.kind is Kind.REINDEX:
            left = reindex_leftovers(session, found)
            return tuple(f"{name} is left over: it is dropped by the next run" for name, _ in left)
        if family := self._pending():
            return (f"the detach of {family[1]} is half done: it is finalized by the next run",)
        return ()

    def _of_valid_index(self, statement: str, before: str | None) -> Reconciled:
        index = index_of_name(self.session, self.found)
        if index is None or index.oid == before:
            return Reconciled(Landed.NO)  # where the name is taken, PostgreSQL says so itself
        if before is None:
            return Reconciled(Landed.UNKNOWN)
        if is_as_written(self.session, index, statement):
            return Reconciled(Landed.YES)
        note = f"{index.name} has come up since, and it is not seen to be what the statement makes"
        return Reconciled(Landed.UNKNOWN, (note,))

    def _is_still_there(self, before: str) -> bool:
        if self.found.kind is Kind.DROP_INDEX:
            return index_where(self.session, f"c.oid = {before}") is not None
        return self._partition(*before.split()) is not None

    def _pending(self) -> tuple[str, str] | None:
        """Return the names of a parent and a partition between which a detach is half done."""
        if self.found.kind is not Kind.DETACH:
            return None
        row = self._partition(*self._family())
        return (str(row[1]), str(row[2])) if row and row[0] == "t" else None

    def _family(self) -> tuple[str, str]:
        found = self.found
        assert found.relation is not None
        assert found.name is not None
        parent = oid_of(self.session, found.schema, found.relation)
        return parent or "0", oid_of(self.session, found.name_schema, found.name) or "0"

    def _partition(self, parent: str, partition: str) -> Sequence[str | None] | None:
        """Return whether a detach is pending, and both names; None where it is no partition."""
        query = own_query("engine", "partition_state", parent=Raw(parent), partition=Raw(partition))
        (result,) = self.session.ask(query)
        return result.rows[0] if result.rows else None
