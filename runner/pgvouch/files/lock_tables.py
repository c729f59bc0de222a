"""Tables that a file's header names: `-- lock_tables:` and `-- writes:`. No I/O."""

from typing import Any

from psycopg import sql

from pgvouch.errors import FileError, Place
from pgvouch.sqltext.statements import tree_of

_MODES = (
    "access share", "row share", "row exclusive", "share update exclusive", "share",
    "share row exclusive", "exclusive", "access exclusive",
)  # fmt: skip
"""In the order of the parser's numbers, which begin with 1."""


def lock_statements(value: str, place: Place) -> tuple[str, ...]:
    """Return a `lock table` statement for each table of a directive.

    Args:
        value: as PostgreSQL's own `LOCK TABLE` takes it: `public.a, public.b in share mode`.
        place: the directive.

    Raises:
        FileError: it is no list of tables, or a name has no schema.
    """
    mode, tables = _parsed(
        "lock_tables", value, place, "; behind it, `in share row exclusive mode` lets readers go on"
    )
    found = []
    for table in tables:
        # A database before the schema stays: the server has its say about that.
        parts = filter(None, (table.catalogname, table.schemaname, table.relname))
        name = sql.Identifier(*parts).as_string(None)
        found.append(f"lock table {'' if table.inh else 'only '}{name} in {mode} mode")
    return tuple(found)


def table_names(value: str, place: Place) -> list[str]:
    """Return the tables of a `-- writes:` directive, qualified, without quotes.

    Args:
        value: public.a, public.b
        place: the directive.

    Raises:
        FileError: it is no list of tables, or a name has no schema.
    """
    _, tables = _parsed("writes", value, place, "")
    return [f"{table.schemaname}.{table.relname}" for table in tables]


def _parsed(word: str, value: str, place: Place, more: str) -> tuple[str, list[Any]]:
    tree = tree_of(f"lock table {value}\n")
    node = tree.lock_stmt if tree is not None and tree.WhichOneof("node") == "lock_stmt" else None
    mode = _MODES[node.mode - 1] if node is not None else ""
    if node is None or node.nowait or (word == "writes" and mode != _MODES[-1]):
        raise FileError(
            f"`-- {word}: {value}` is no list of tables",
            place,
            hint=f"write `-- {word}: public.a, public.b`{more}",
        )
    tables = [relation.range_var for relation in node.relations]
    for table in tables:
        if not table.schemaname:
            raise FileError(
                f"`-- {word}: {table.relname}` names no schema",
                place,
                hint=f"write the schema as well: public.{table.relname}",
            )
    return mode, tables
