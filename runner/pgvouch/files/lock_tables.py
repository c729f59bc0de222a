"""Tables that a file wants locked ahead of everything else: `-- lock_tables:`. No I/O."""

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
    tree = tree_of(f"lock table {value}\n")
    node = tree.lock_stmt if tree is not None and tree.WhichOneof("node") == "lock_stmt" else None
    if node is None or node.nowait:
        raise FileError(
            f"`-- lock_tables: {value}` is no list of tables",
            place,
            hint="write `-- lock_tables: public.a, public.b`; behind it, `in share row exclusive "
            "mode` lets readers go on",
        )
    tables = [relation.range_var for relation in node.relations]
    for table in tables:
        if not table.schemaname:
            raise FileError(
                f"`-- lock_tables: {table.relname}` names no schema",
                place,
                hint=f"write the schema as well: public.{table.relname}",
            )
    mode = _MODES[node.mode - 1]
    found = []
    for table in tables:
        # A database before the schema stays: the server has its say about that.
        parts = filter(None, (table.catalogname, table.schemaname, table.relname))
        name = sql.Identifier(*parts).as_string(None)
        found.append(f"lock table {'' if table.inh else 'only '}{name} in {mode} mode")
    return tuple(found)
