"""What has to be known of a tool to take its projects over; each is a module of its own here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pgvouch.adopt.history import ForeignLedger, History, Recorded, Table
from pgvouch.errors import PlanError

Row = Sequence[str | None]


class Asks(Protocol):
    """Reads the database: nothing is written, and no foreign code is run."""

    def tables(self, name: str, columns: Sequence[str], schema: str | None = None) -> list[Table]:
        """Return the tables of a name that have these columns.

        Args:
            name: unquoted; the name that the user gives with --ledger wins over it.
            columns: those that tell the ledger from others of its name.
            schema: where to look; None is everywhere but in the schemas of platforms.
        """

    def rows(self, query: str, table: Table) -> list[Row]:
        """Return the rows of a query of ours, each value as text.

        Args:
            query: with {table} where the table stands; every value cast to text.
            table: one that `tables` has returned; refused where reading it could run foreign code.

        Raises:
            PlanError: it is no plain table, or belongs to a role that is not to be trusted.
        """


@dataclass(frozen=True, slots=True)
class Tool:
    """How projects of a tool are recognised and read. All functions but `ledger` only read files.

    Each module of a tool has one of these, named TOOL.
    """

    name: str
    """As given to --from: dbmate, golang-migrate."""
    title: str
    """As its makers write it."""
    find: Callable[[Path], Path | None]
    """Returns the folder of the migrations in a project's folder (or that folder itself), None
    where this is no project of the tool. A sure sign only: an annotation, a file of its own."""
    read: Callable[[Path], History]
    """Reads that folder. Raises FileError for what the tool itself would refuse."""
    ledger: Callable[[Asks, History | None], ForeignLedger | None]
    """Reads the ledger, None where there is none. Tools that keep only the newest version need the
    files for the rest. Raises PlanError where there are several."""
    lock: Callable[[Table, str], int | tuple[int, ...] | None] = lambda _table, _database: None
    """Returns the key of the advisory lock that the tool takes while it migrates, or those that
    it may take; None where it takes none, and the ledger itself is locked."""
    marks: tuple[str, ...] = ()
    """Names of files and folders in a project that speak for it where the files do not decide."""
    with_rows: Callable[[History, Sequence[Recorded]], History] | None = None
    """Returns the files with migrations that only the ledger has, where it keeps their SQL."""


def only(tool: Tool, tables: Sequence[Table]) -> Table | None:
    """Return the one ledger of a tool, None where there is none.

    Raises:
        PlanError: there are several.
    """
    if len(tables) > 1:
        raise PlanError(
            f"there are several ledgers of {tool.title}: "
            f"{', '.join(table.quoted for table in tables)}",
            state="Nothing was adopted.",
            hint="say which one: --ledger SCHEMA.TABLE",
        )
    return tables[0] if tables else None
