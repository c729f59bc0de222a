"""Reads the ledgers of other tools, and takes the locks that they take."""

from collections.abc import Sequence

from pgvouch.adopt.history import Table
from pgvouch.adopt.tool import Row
from pgvouch.errors import PlanError
from pgvouch.ledger.ledger import read_of_another_tool
from pgvouch.postgres.session import QueryError, Session
from pgvouch.sqltext.own import Raw, literal, own_query


class Asking:
    """Reads a database for the modules of the tools (adopt.tool.Asks)."""

    def __init__(self, session: Session, named: str | None = None) -> None:
        """Say where to look.

        Args:
            session: within a transaction or idle.
            named: SCHEMA.TABLE or TABLE, what the user calls the ledger.
        """
        self._session = session
        self._schema, _, self._name = (named or "").rpartition(".")

    def tables(self, name: str, columns: Sequence[str], schema: str | None = None) -> list[Table]:
        """Return the tables of a name that have these columns, as Asks says."""
        query = own_query(
            "adopt", "tables", name=self._name or name, schema=self._schema or schema or None
        )
        (result,) = self._session.ask(query)
        found = [
            Table(str(row[0]), str(row[1]), str(row[2]), frozenset(str(row[3]).split()))
            for row in result.rows
        ]
        return [table for table in found if table.columns >= set(columns)]

    def rows(self, query: str, table: Table) -> list[Row]:
        """Return the rows of a query, as Asks says.

        Raises:
            PlanError: it is no plain table, its columns are of other types, or it belongs to a role
                that is not to be trusted.
        """
        asked = query.replace("{table}", table.quoted)
        try:
            return list(read_of_another_tool(self._session, table.quoted, asked).rows)
        except QueryError as exc:
            raise PlanError(
                f"{table.quoted} cannot be read as a ledger: {exc.server.primary}",
                server=exc.server,
                state="Nothing was adopted.",
                hint="if it is no ledger, say which table is: --ledger SCHEMA.TABLE",
            ) from None


def lock_sql(table: Table, key: int | tuple[int, ...] | None) -> tuple[str, ...]:
    """Return the statements that keep the old tool out until the transaction ends.

    Args:
        table: its ledger.
        key: of its advisory lock, or all that it may be; None locks the table.

    Each fails, or gives `f`, where the tool is at work.
    """
    if key is not None:
        keys = (key,) if isinstance(key, int) else key
        return tuple(f"select pg_try_advisory_xact_lock({literal(one)}::bigint)" for one in keys)
    return (f"lock table only {Raw(table.quoted)} in exclusive mode nowait",)


def refuse_at_work(title: str) -> PlanError:
    """Return the error for a tool that is migrating at this moment."""
    return PlanError(
        f"{title} is at work on this database",
        state="Nothing was adopted.",
        hint="wait until it has ended, and run the same command again",
    )
